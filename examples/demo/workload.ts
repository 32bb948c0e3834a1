import type { Request } from 'proxy-manager';
import { BLOB } from './settings.js';
import { runWorkload, type Tally } from './run-workload.js';

/** More sends than the keys have uses: GET and POST, JSON and bytes. The key goes where `{key}` stands. */
export function runKeys(request: Request): Promise<Tally> {
  const headers = { 'x-api-key': '{key}' };
  return runWorkload({
    name: 'keys',
    sends: 220,
    concurrency: 20,
    summary: ({ answered, exhausted }) => `${answered} answered, ${exhausted} held back`,
    task(n) {
      if (n % 4 === 2) {
        return {
          send: () => request.send('/v1/orders', { method: 'POST', headers, data: { n } }),
          expected: { ordered: { n } },
        };
      }
      if (n % 4 === 3) {
        return {
          send: () => request.send({ url: '/v1/blob', headers, responseType: 'arraybuffer' }),
          expected: BLOB,
        };
      }
      return {
        send: () => request.send('/v1/quotes', { headers, params: { n } }),
        expected: { item: String(n) },
      };
    },
  });
}

/** One in ten is slow, one in ten is answered 503 at first, one in ten is reset at first: another proxy tries again. */
export function runProxies(request: Request): Promise<Tally> {
  const routes: Readonly<Record<number, string>> = { 2: '/shop/slow', 5: '/shop/busy', 8: '/shop/reset' };
  return runWorkload({
    name: 'proxies',
    sends: 120,
    concurrency: 12,
    summary: ({ answered, attempts }) => `${answered} answered, ${attempts - answered} retries`,
    task: (n) => ({
      send: () => request.send(`${routes[n % 10] ?? '/shop/items'}?n=${n}`),
      expected: { item: String(n) },
    }),
  });
}

const CATALOG_URLS = 12;

/** A dozen urls, each asked for again and again. */
export function runCache(request: Request): Promise<Tally> {
  return runWorkload({
    name: 'cache',
    sends: 300,
    // A divisor of the urls, so that no url is asked for twice at once.
    concurrency: 4,
    summary: ({ answered, hits }) => `${hits} from the cache, ${answered - hits} fetched`,
    task(n) {
      const item = String(n % CATALOG_URLS);
      return {
        send: () => request.send('/catalog', { params: { n: item } }),
        expected: { item },
      };
    },
  });
}
