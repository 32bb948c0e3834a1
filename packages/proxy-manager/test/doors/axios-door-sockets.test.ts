import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, request as send } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import { AxiosError } from 'axios';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApi, startBoth, startRequest } from './clients.js';

type Respond = (response: IncomingMessage) => void;

/** Node's own transport, which tells of each socket that a request gets. */
function watched(sockets: Socket[]): AxiosRequestConfig['transport'] {
  const request = (...given: Parameters<typeof send>): ClientRequest =>
    send(...given).on('socket', (socket) => void sockets.push(socket));
  return { request };
}

function pooled(): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return agent;
}

describe('a connection that an agent keeps, as axios has it:', () => {
  test('breaks while it waits, and neither the request that is done nor the next one minds', async () => {
    const api = await startApi((_hit, res) => res.end('ok'));
    for (const client of Object.values(startBoth())) {
      const sockets: Socket[] = [];
      const config = { httpAgent: pooled(), transport: watched(sockets), maxRedirects: 0 };
      const first = await client.get(api.url, config);
      const gone = new Promise((resolve) => sockets[0]?.once('close', resolve));
      sockets[0]?.destroy(new Error('stray'));
      await gone;
      expect([first.data, (await client.get(api.url, config)).data]).toEqual(['ok', 'ok']);
      expect(sockets[1]).not.toBe(sockets[0]);
    }
  });

  test('serves twenty requests, and is left with no more listeners than after one', async () => {
    const api = await startApi((_hit, res) => res.end('ok'));
    for (const client of Object.values(startBoth())) {
      const sockets: Socket[] = [];
      const config = { httpAgent: pooled(), transport: watched(sockets), maxRedirects: 0 };
      const listeners = (): readonly unknown[] =>
        (sockets[0]?.eventNames() ?? []).map((name) => [name, sockets[0]?.listenerCount(name)]);
      await client.get(api.url, config);
      const after = listeners();
      await Promise.all(Array.from({ length: 20 }, () => client.get(api.url, config)));
      expect(new Set(sockets).size).toBe(1);
      expect(listeners()).toEqual(after);
    }
  });
});

/** What a transport of the caller's may give in place of a request: it does what `onEnd` does with its socket. */
class PlainRequest extends EventEmitter {
  destroyed = false;
  readonly #onEnd: (request: PlainRequest) => void;

  constructor(onEnd: (request: PlainRequest) => void) {
    super();
    this.#onEnd = onEnd;
  }

  setTimeout(): void {}

  write(): void {}

  end(): void {
    this.#onEnd(this);
  }

  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    if (error !== undefined) this.emit('error', error);
    this.emit('close');
  }
}

function plainSocket(): EventEmitter {
  // Others listen to it, too.
  return Object.assign(new EventEmitter(), { setKeepAlive: () => {} }).on('error', () => {});
}

function get(client: AxiosInstance, onEnd: (request: PlainRequest, respond: Respond) => void): Promise<unknown> {
  const transport = {
    request: (_options: unknown, respond: Respond) => new PlainRequest((request) => onEnd(request, respond)),
  };
  return client
    .get<unknown>('http://127.0.0.1:9/', { transport, maxRedirects: 0 } as AxiosRequestConfig)
    .then(({ data }) => data)
    .catch((error: unknown) => error);
}

const ok = (): IncomingMessage =>
  Object.assign(Readable.from(['ok']), { statusCode: 200, headers: {}, rawHeaders: [] }) as unknown as IncomingMessage;

describe('a request whose socket is no more than an emitter, as axios has it:', () => {
  test('fails where the socket alone tells of an error', async () => {
    for (const client of Object.values(startBoth())) {
      const error = await get(client, (request) => {
        const socket = plainSocket();
        request.emit('socket', socket);
        setImmediate(() => socket.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })));
      });
      expect(error).toBeInstanceOf(AxiosError);
      expect(error).toMatchObject({ code: 'EPIPE' });
    }
  });

  test('shares it with twenty others, which leave one listener for errors', async () => {
    for (const client of Object.values(startBoth())) {
      const socket = plainSocket();
      const open: PlainRequest[] = [];
      const answers = Array.from({ length: 20 }, () =>
        get(client, (request, respond) => {
          request.emit('socket', socket);
          open.push(request);
          setImmediate(() => respond(ok()));
        }),
      );
      expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, () => 'ok'));
      for (const request of open) request.emit('close');
      expect(socket.listenerCount('error')).toBe(2);
    }
  });

  test('is logged without the bytes that nobody counts', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'proxy-manager-sockets-'));
    const request = startRequest({ dataDir });
    await get(request.axios, (asked, respond) => {
      asked.emit('socket', plainSocket());
      setImmediate(() => respond(ok()));
    });
    const segment = readdirSync(join(dataDir, 'log')).find((name) => name.endsWith('.ndjson')) ?? '';
    const record = JSON.parse(readFileSync(join(dataDir, 'log', segment), 'utf8')) as { server: object };
    expect(record.server).not.toHaveProperty('bytes');
  });

  test('has its errors to itself: not those from before, nor those from after', async () => {
    for (const client of Object.values(startBoth())) {
      const socket = plainSocket();
      let done: PlainRequest | undefined;
      const first = await get(client, (request, respond) => {
        done = request;
        request.emit('socket', socket);
        setImmediate(() => {
          respond(ok());
          request.emit('close');
        });
      });
      socket.emit('error', new Error('stray'));
      expect([first, done?.destroyed]).toEqual(['ok', false]);
      const second = await get(client, (request) => {
        request.emit('socket', socket);
        setImmediate(() => socket.emit('error', Object.assign(new Error('boom'), { code: 'EPIPE' })));
      });
      expect(second).toMatchObject({ code: 'EPIPE' });
      expect(done?.destroyed).toBe(false);
    }
  });
});
