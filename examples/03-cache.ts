// The second send of the same request is served from the cache: no network, no use of a key.
import { Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';

const req = new Request({
  endpoint: 'test_api',
  baseURL: api,
  headers: { 'x-api-key': '{key}' },
  secrets: new URL('../secrets.json', import.meta.url),
  cache: { ttlMs: 60_000 },
});

for (const page of [1, 2, 1, 2]) {
  const { status, exchange } = await req.send('/items', { params: { page } });
  console.log(page, status, exchange.cache);
}

// What is stored, and nothing else: run a parser twice, fetch once.
const again = await req.send('/items', { params: { page: 2 }, cache: 'only-if-cached' });
console.log(2, again.status, again.exchange.cache);

const fresh = await req.send('/items', { params: { page: 1 }, cache: false });
console.log(1, fresh.status, fresh.exchange.cache);

await req.close();
