import type { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { AxiosError } from 'axios';
import { expect, test } from 'vitest';
import { startApi, startRequest, type Api } from './clients.js';

type Door = (request: ReturnType<typeof startRequest>, url: string, more: object) => Promise<unknown>;

const doors: [string, Door][] = [
  ['send', (request, url, more) => request.send(url, { responseType: 'stream', ...more })],
  ['axios', (request, url, more) => request.axios.get(url, { responseType: 'stream', ...more })],
  [
    'axios’s own adapter',
    (request, url, more) => request.axios.get(url, { responseType: 'stream', maxRate: 1e9, ...more }),
  ],
];

/** Begins a body with this status, and does not end it. */
const startEndless = (status: number): Promise<Api> =>
  startApi((_hit, res) => res.writeHead(status, { location: '/other' }).write('and so on'));

test.each(doors)(
  'a streamed reply that a throwing validateStatus keeps from its reader is hung up: %s',
  async (_, door) => {
    const api = await startEndless(200);
    const validateStatus = (): boolean => {
      throw new Error('a mistake of mine');
    };
    await expect(door(startRequest(), api.url, { validateStatus })).rejects.toThrow('a mistake of mine');
    await expect.poll(() => api.openConnections).toBe(0);
  },
);

test.each(doors)('one that validateStatus refuses can be read off the error: %s', async (_, door) => {
  const api = await startApi((_hit, res) => res.writeHead(404).end('no such thing'));
  const error = (await door(startRequest(), api.url, {}).catch((reason: unknown) => reason)) as AxiosError<Readable>;
  expect(await error.response?.data.setEncoding('utf8').toArray()).toEqual(['no such thing']);
});

test('a redirect that fetch was told to fail at is hung up, however long its body', async () => {
  const api = await startEndless(302);
  await expect(startRequest().fetch(api.url, { redirect: 'error' })).rejects.toThrow('fetch failed');
  await expect.poll(() => api.openConnections).toBe(0);
});

test('a Response that is let go unread is hung up, and one whose body somebody holds is not', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const api = await startEndless(200);
  const { fetch } = startRequest();
  const bodyOf = async (): Promise<ReadableStream | null> => (await fetch(api.url)).body;
  const body = await bodyOf();
  for (let n = 0; n < 3; n++) expect((await fetch(api.url)).ok).toBe(true);
  expect(api.openConnections).toBe(4);
  await expect
    .poll(() => {
      gc();
      return api.openConnections;
    })
    .toBe(1);
  const read = await body?.getReader().read();
  expect(Buffer.from(read?.value as Uint8Array).toString()).toBe('and so on');
});
