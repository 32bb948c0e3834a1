// Requests that look like a browser's down to TLS, HTTP/2 and the order of the header fields: a transport of your own,
// over impit. PROXIES is a list like "127.0.0.1:8080,http://user:pass@127.0.0.1:8081".
import { ProxyManager } from 'proxy-manager';
import { impitTransport } from './impit/transport.js';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';

const transport = impitTransport({ browser: 'chrome151' });
const manager = new ProxyManager({
  transport,
  secrets: {
    ip_based: { shop: { limit: 500, refresh_rate: 1440 } },
    ips: (process.env['PROXIES'] ?? '127.0.0.1:8080').split(','),
  },
});

// The user agent is the one that goes with impit's TLS, so the pipeline adds none.
const shop = manager.request('shop', { baseURL: api, userAgent: false });
for (const page of [1, 2]) {
  const { status, data, exchange } = await shop.send('/items', { params: { page } });
  console.log(status, 'through', exchange.proxy?.id, data);
}

await manager.close();
await transport.close();
