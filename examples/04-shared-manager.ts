// A whole application: one manager owns pool, cache and log; Requests for its endpoints are made from it.
// With REDIS_URL the counts are kept there, with ELASTICSEARCH_URL the cache and the log.
import { ProxyManager } from 'proxy-manager';

const api = process.env['API_URL'] ?? 'https://httpbin.org/anything';
const { REDIS_URL: redis, ELASTICSEARCH_URL: elasticsearch } = process.env;

const manager = new ProxyManager({
  secrets: {
    key_based: {
      weather: {
        limit: 1000,
        refresh_rate: 1440,
        keys: ['weather-key-1', 'weather-key-2'],
        apply: { headers: { authorization: 'Bearer {key}' } },
      },
      maps: { limit: 60, refresh_rate: 1, keys: ['maps-key-1'], apply: { query: { appid: '{key}' } } },
    },
  },
  ...(redis ? { redis } : {}),
  ...(elasticsearch ? { elasticsearch } : {}),
});

const weather = manager.request('weather', { baseURL: api, timeout: 10_000 });
const maps = manager.request('maps', { baseURL: api, timeout: 10_000 });

await Promise.all([weather.send('/today'), weather.send('/tomorrow'), maps.send('/tile/1/2/3')]);

for (const { endpoint, id, state, windows } of await manager.usage()) {
  console.log(endpoint, id, state, ...windows.map(({ used, limit }) => `${used} of ${limit}`));
}

await manager.close();
