import { expect, test } from 'vitest';
import { startApi, startRequest } from './clients.js';

interface Words {
  readonly url?: (url: string) => string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly params?: Record<string, string>;
  readonly auth?: { readonly username: string; readonly password: string };
}

const BREAK = '\r\nx-evil: 1';

/** What breaks out of the place where it stands would be a field `x-evil`, or a request for `/evil`. */
test.each<[string, Words]>([
  ['the url', { url: (url) => `${url}/a HTTP/1.1${BREAK}\r\n\r\nGET /evil` }],
  ['params', { params: { [`a${BREAK}`]: `b${BREAK}` } }],
  ['the method', { method: `GET /evil HTTP/1.1${BREAK}\r\n\r\nGET` }],
  ['the name of a header', { headers: { [`x-a: b${BREAK}`]: '1' } }],
  ['the name of a header, with a space', { headers: { 'x-evil 1': '1' } }],
  ['a header', { headers: { 'x-a': `1${BREAK}` } }],
  ['a header, in letters that are cut off', { headers: { 'x-a': '1\u010d\u010ax-evil: 1' } }],
  ['a header, with a zero', { headers: { 'x-a': `1\0${BREAK}` } }],
  ['a cookie', { headers: { cookie: `a=1${BREAK}` } }],
  ['a password', { auth: { username: `a${BREAK}`, password: `b${BREAK}` } }],
])('nothing breaks out of %s', async (_where, { url: written = (url) => url, ...words }) => {
  const api = await startApi((_hit, res) => res.end('{}'));
  const request = startRequest();
  const url = written(api.url);
  const { method, headers } = words;
  const init = { ...(method && { method }), ...(headers && { headers }) };
  await Promise.allSettled([
    request.send({ url, ...words }),
    request.axios.request({ url, ...words }),
    request.axios.request({ url, ...words, maxRate: 1e9 }),
    request.fetch(url, init),
  ]);
  expect(api.hits.length).toBeLessThanOrEqual(4);
  for (const { path, headers: came } of api.hits) {
    expect(path).not.toMatch(/^\/evil/);
    expect(came).not.toHaveProperty('x-evil');
    // One that was made of the rest of a name would be the caller's no more.
    expect(came).not.toMatchObject({ 'x-a': 'b' });
  }
});

test('a header by a name that none can have is refused, whichever way it goes', async () => {
  const api = await startApi((_hit, res) => res.end('{}'));
  const { axios: ours } = startRequest();
  const headers = { 'x a': '1' };
  await expect(ours.get(api.url, { headers })).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  await expect(ours.get(api.url, { headers, maxRate: 1e9 })).rejects.toMatchObject({ code: 'ERR_INVALID_HTTP_TOKEN' });
  expect(api.hits).toHaveLength(0);
});
