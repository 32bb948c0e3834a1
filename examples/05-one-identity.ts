// getKeyProxy() keeps one key (and proxy) for all later sends of this Request; another Request gets another one.
import { Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';
const options = { endpoint: 'test_api', baseURL: api, secrets: new URL('../secrets.json', import.meta.url) };

const first = new Request(options);
const second = new Request(options);
const mine = await first.getKeyProxy();
const other = await second.getKeyProxy();
console.log('two Requests, two keys:', mine.id !== other.id);

// The key is a plain string, to be placed wherever this API wants it.
const headers = await first.addUserAgent({ authorization: `Token ${mine.key}` });
const page1 = await first.send('/items?page=1', { headers });
const page2 = await first.send('/items?page=2', { headers });
console.log('the same key twice:', page1.exchange.credential?.id === page2.exchange.credential?.id);

await first.close();
await second.close();
