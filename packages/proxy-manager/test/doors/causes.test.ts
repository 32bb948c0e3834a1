import axios from 'axios';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startFaulty, startRaw } from '../servers/faulty.js';
import { startApi, startRequest } from './clients.js';

type Door = (request: ReturnType<typeof startRequest>, url: string, more?: object) => Promise<unknown>;

const send: Door = (request, url, more) => request.send(url, more);
const viaAxios: Door = (request, url, more) => request.axios.get(url, more);
const viaFetch: Door = (request, url) => request.fetch(url);

const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

async function urlOf(starting: ReturnType<typeof startFaulty>): Promise<string> {
  const server = await starting;
  onTestFinished(() => server.close());
  return `http://127.0.0.1:${server.port}/`;
}

const startClosing = (how: 'close' | 'reset'): Promise<string> => urlOf(startFaulty(how));

describe('a connection that breaks has what broke it as its cause:', () => {
  test.each([
    ['send', send],
    ['axios', viaAxios],
  ] as const)('%s', async (_name, door) => {
    for (const how of ['reset', 'close'] as const) {
      const error = await failure(door(startRequest(), await startClosing(how)));
      expect(error).toMatchObject({
        code: 'ECONNRESET',
        cause: { message: expect.any(String), code: expect.any(String) },
      });
    }
    const reset = await failure(door(startRequest(), await startClosing('reset')));
    expect(reset).toMatchObject({ cause: { message: 'read ECONNRESET' } });
  });

  test('fetch, below the cause that it has anyway', async () => {
    const error = await failure(viaFetch(startRequest(), await startClosing('reset')));
    expect(error).toMatchObject({
      message: 'fetch failed',
      cause: { code: 'ECONNRESET', cause: { message: 'read ECONNRESET' } },
    });
  });

  test('in the middle of a body, and through axios’s own adapter', async () => {
    const breaking = startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
    });
    const url = await urlOf(breaking);
    for (const more of [{}, { maxRate: 1e9 }]) {
      const error = await failure(send(startRequest(), url, more));
      expect(error).toMatchObject({ code: 'ECONNRESET', cause: { code: expect.any(String) } });
    }
  });
});

describe('an abort has its reason as its cause:', () => {
  test.each([
    ['send', send],
    ['axios', viaAxios],
  ] as const)('%s', async (_name, door) => {
    const api = await startApi(() => undefined);
    const signal = AbortSignal.timeout(30);
    const late = await failure(door(startRequest(), api.url, { signal }));
    expect(late).toMatchObject({ code: 'ERR_CANCELED', message: 'canceled', cause: { name: 'TimeoutError' } });
    expect((late as Error).cause).toBe(signal.reason);
  });

  test.each([
    ['send', send],
    ['axios', viaAxios],
  ] as const)('%s, before it began', async (_name, door) => {
    const signal = AbortSignal.abort('enough');
    const error = await failure(door(startRequest(), 'http://127.0.0.1:9/', { signal }));
    expect(axios.isCancel(error)).toBe(true);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', message: 'canceled', cause: 'enough' });
  });

  test('axios, before it began, after interceptors and a cancel token have had their say', async () => {
    const source = axios.CancelToken.source();
    source.cancel('the token');
    const { axios: ours } = startRequest();
    const seen: unknown[] = [];
    ours.interceptors.request.use((config) => {
      seen.push(config.url);
      return config;
    });
    const signal = AbortSignal.abort('enough');
    const both = await failure(ours.get('http://127.0.0.1:9/1', { signal, cancelToken: source.token }));
    const alone = await failure(ours.get('http://127.0.0.1:9/2', { signal }));
    expect(seen).toEqual(['http://127.0.0.1:9/1', 'http://127.0.0.1:9/2']);
    expect([(both as Error).message, (alone as Error).message]).toEqual(['the token', 'canceled']);
  });

  test('send says the word of a cancel token, as axios does', async () => {
    const source = axios.CancelToken.source();
    source.cancel('enough');
    const error = await failure(send(startRequest(), 'http://127.0.0.1:9/', { cancelToken: source.token }));
    expect(error).toMatchObject({ code: 'ERR_CANCELED', message: 'enough' });
  });
});
