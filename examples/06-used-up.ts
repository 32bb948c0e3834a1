// What a used-up pool looks like: the error says when the first key serves again, and nothing was sent.
import { PoolExhaustedError, Request } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';

const req = new Request({
  endpoint: 'small',
  baseURL: api,
  headers: { 'x-api-key': '{key}' },
  secrets: { key_based: { small: { limit: 2, refresh_rate: 1440, keys: [`key-of-${Date.now()}`] } } },
});

for (const page of [1, 2, 3]) {
  try {
    const { status } = await req.send('/items', { params: { page } });
    console.log(page, status);
  } catch (error) {
    if (error instanceof PoolExhaustedError) console.log(page, error.code, 'until', error.retryAt.toISOString());
    else throw error;
  }
}

await req.close();
