import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Stands before a real Elasticsearch and spoils the next bulk request as told; everything else passes. */
export interface FaultProxy {
  readonly url: string;
  /**
   * `half`: the first half is stored, the rest gets 429; `busy`: the whole request gets 429; `lose-answer`: all is stored,
   * and the connection dies.
   */
  next: 'busy' | 'half' | 'lose-answer' | 'unavailable' | undefined;
  /** Awaited after a lost answer has been stored, before the client learns of it. */
  onFault: (() => Promise<unknown>) | undefined;
  /** Documents per bulk request. */
  readonly bulkSizes: number[];
  /** What was asked of data stream lifecycles; `unavailable` spoils that as well. */
  readonly lifecycles: string[];
  close(): Promise<void>;
}

export async function faultProxy(target: string, { maxBytes = Infinity } = {}): Promise<FaultProxy> {
  const server = createServer((request, response) => {
    // Elasticsearch itself may be away.
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${address.port}`,
    next: undefined,
    onFault: undefined,
    bulkSizes: [],
    lifecycles: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    if (request.url?.endsWith('/_lifecycle') === true) return reply(response, await lifecycle(request, body));
    if (!request.url?.includes('_bulk')) return reply(response, await forward(request, body));
    const lines = String(body).split('\n').slice(0, -1);
    proxy.bulkSizes.push(lines.length / 2);
    const fault = proxy.next;
    proxy.next = undefined;
    if (body.length > maxBytes) return reply(response, { status: 413, text: '<h1>Too large</h1>', type: 'text/html' });
    if (fault === 'busy') return reply(response, { status: 429, text: '{"error":"busy"}' });
    if (fault === 'unavailable') return reply(response, { status: 503, text: '{"error":"away"}' });
    if (fault === 'lose-answer') {
      await forward(request, body);
      await proxy.onFault?.();
      request.socket.destroy();
      return;
    }
    if (fault !== 'half') return reply(response, await forward(request, body));
    // Whole pairs of lines: what to do, and the document.
    const half = Math.floor(lines.length / 4) * 2;
    if (half === 0) return reply(response, await forward(request, body));
    const taken = await forward(request, `${lines.slice(0, half).join('\n')}\n`);
    const { items } = JSON.parse(taken.text) as { items: object[] };
    const busy = { create: { status: 429, error: { type: 'es_rejected_execution_exception', reason: 'busy' } } };
    const all = [...items, ...Array.from({ length: (lines.length - half) / 2 }, () => busy)];
    return reply(response, { status: 200, text: JSON.stringify({ errors: true, items: all }) });
  }

  async function lifecycle(request: IncomingMessage, body: Buffer): Promise<Answer> {
    proxy.lifecycles.push(`${request.method} ${request.url} ${body.toString()}`);
    const isAway = proxy.next === 'unavailable';
    proxy.next = undefined;
    return isAway ? { status: 503, text: '{"error":"away"}' } : forward(request, body);
  }

  async function forward(request: IncomingMessage, body: Buffer | string): Promise<Answer> {
    const { 'content-type': type, accept } = request.headers;
    const answered = await fetch(new URL(request.url ?? '/', target), {
      method: request.method ?? 'GET',
      headers: { ...(type && { 'content-type': type }), ...(accept && { accept }) },
      ...(body.length > 0 && { body }),
    });
    return { status: answered.status, text: await answered.text() };
  }

  return proxy;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

function reply(response: ServerResponse, { status, text, type }: Answer): void {
  response.writeHead(status, {
    'x-elastic-product': 'Elasticsearch',
    'content-type': type ?? 'application/vnd.elasticsearch+json;compatible-with=8',
  });
  response.end(text);
}
