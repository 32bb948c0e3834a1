// Every send goes out through the least-used proxy; one that fails rests, and another one tries again.
// PROXIES is a list like "127.0.0.1:8080,http://user:pass@127.0.0.1:8081".
import { Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';

const req = new Request({
  endpoint: 'shop',
  baseURL: api,
  secrets: {
    ip_based: { shop: { limit: 500, refresh_rate: 1440 } },
    ips: (process.env['PROXIES'] ?? '127.0.0.1:8080').split(','),
  },
});

for (const page of [1, 2, 3, 4]) {
  const { status, exchange } = await req.send('/items', { params: { page } });
  console.log(status, 'through', exchange.proxy?.id, 'after', exchange.attempts, 'attempt(s)');
}

await req.close();
