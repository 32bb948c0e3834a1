// A request with the least-used key of secrets.json, filled in where {key} stands.
// API_URL is the API to call; run it as: node examples/dist/01-first-request.js
import { Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';

const req = new Request({ endpoint: 'test_api', secrets: new URL('../secrets.json', import.meta.url) });

const res = await req.send(`${api}/items?page=1`, { headers: { 'x-api-key': '{key}' } });
console.log(res.status, res.data);
console.log('key', res.exchange.credential?.id, 'in', Math.round(res.exchange.durationMs), 'ms');

await req.close();
