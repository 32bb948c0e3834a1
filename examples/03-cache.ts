// The second send of the same request is served from the cache: no network, no use of a key.
// (Not of an API that echoes its callers' headers: a reply in which a key stands is never stored.)
import { Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://jsonplaceholder.typicode.com';

const req = new Request({
  endpoint: 'test_api',
  baseURL: api,
  headers: { 'x-api-key': '{key}' },
  secrets: new URL('../secrets.json', import.meta.url),
  cache: { ttlMs: 60_000 },
});

for (const page of [1, 2, 1, 2]) {
  const { status, exchange } = await req.send('/posts', { params: { userId: page } });
  console.log(page, status, exchange.cache);
}

// What is stored, and nothing else: run a parser twice, fetch once.
const again = await req.send('/posts', { params: { userId: 2 }, cache: 'only-if-cached' });
console.log(2, again.status, again.exchange.cache);

const fresh = await req.send('/posts', { params: { userId: 1 }, cache: false });
console.log(1, fresh.status, fresh.exchange.cache);

await req.close();
