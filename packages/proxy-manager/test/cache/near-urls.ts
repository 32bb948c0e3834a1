import type { Exchange } from '../../src/pipeline/exchange.js';
import type { Next, Stage } from '../../src/pipeline/stage.js';
import { exchange, reply } from './exchange.js';

/** What a server may take for different, written nearly alike; some of a group are one and the same to it. */
const HOSTS = [
  'http://a.example',
  'http://a.example:80',
  'http://A.example',
  'http://a.example:8080',
  'https://a.example',
  'http://u:p@a.example',
];
const PATHS = [
  '/x',
  '/x/',
  '/X',
  '//x',
  '/./x',
  '/y/../x',
  '/%78',
  '/x%2F',
  '/x%2f',
  '/x;',
  '/x%00',
  '/caf\u00E9',
  '/cafe\u0301',
  '/{key}',
  '/%7Bkey%7D',
];
const QUERIES = [
  '',
  '?',
  '?a',
  '?a=',
  '?a=1&b=2',
  '?b=2&a=1',
  '?a=1&a=2',
  '?a=2&a=1',
  '?a=1&&b=2',
  '?a=1;b=2',
  '?a=%31',
  '?a=+',
  '?a=%20',
  '?a=%2B',
  '?q={key}',
  '#a=1',
  '?a=1#b',
];
const BODIES = [undefined, '', 'a', 'a\n', '\n\n', 'GET http://a.example/x\n\n'];
const METHODS = ['GET', 'POST', 'QUERY'] as const;

/** What the server at the other end sees of a request, and answers. */
function seen({ request: { method, url, body } }: Exchange): string {
  return JSON.stringify([method, url.protocol, url.host, url.pathname, url.search, body ?? '']);
}

/** `count` exchanges over urls, bodies and methods that are nearly alike, none written twice. */
export function* nearExchanges(count: number): Iterable<() => Exchange> {
  for (let index = 0; index < count; index++) {
    let rest = index;
    const pick = <T>(from: readonly T[]): T => {
      const chosen = from[rest % from.length];
      rest = Math.floor(rest / from.length);
      return chosen as T;
    };
    const [query, path, host, body, method] = [pick(QUERIES), pick(PATHS), pick(HOSTS), pick(BODIES), pick(METHODS)];
    // What is left of the index makes the next round of them, which differ in one character.
    const url = `${host}${path}${rest === 0 ? '' : `-${rest}`}${query}`;
    yield () => exchange({ url, cache: { methods: METHODS }, request: { method, body } });
  }
}

/** So many are under way at once: one by one each would wait for a commit of its own. */
const AT_ONCE = 50;

/** Sends each of `exchanges`; gives the wrong replies, and how many came from the cache. */
export async function askAll(
  stage: Stage,
  exchanges: Iterable<() => Exchange>,
): Promise<{ readonly wrong: readonly string[]; readonly hits: number; readonly asked: number }> {
  const wrong: string[] = [];
  let hits = 0;
  let asked = 0;
  const origin: Next = async (sent) => {
    asked++;
    return reply(seen(sent));
  };
  const source = exchanges[Symbol.iterator]();
  async function lane(): Promise<void> {
    for (let next = source.next(); next.done !== true; next = source.next()) {
      const sent = next.value();
      const { body } = await stage(sent, origin);
      const got = Buffer.from(body as Uint8Array).toString();
      if (got !== seen(sent)) wrong.push(`${seen(sent)} got ${got}`);
      if (sent.trace.cache === 'hit') hits++;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { wrong, hits, asked };
}
