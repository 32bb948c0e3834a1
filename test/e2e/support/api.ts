import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request as the API saw it. */
export interface Hit {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (hit: Hit, res: ServerResponse, req: IncomingMessage) => void;

/** A real API on a free port that remembers every request; closed when the test ends. */
export interface Api {
  readonly url: string;
  readonly hits: readonly Hit[];
  /** Requests per value of the header, as the provider's own bill would say. */
  countBy(header: string): Map<string, number>;
  close(): Promise<void>;
}

const answerOk: Answer = ({ path }, res) => {
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ path }));
};

export async function startApi(answer: Answer = answerOk): Promise<Api> {
  const hits: Hit[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const hit = {
        method: req.method ?? '',
        path: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(chunks).toString(),
      };
      hits.push(hit);
      answer(hit, res, req);
    });
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  return {
    url,
    hits,
    countBy(header) {
      const counts = new Map<string, number>();
      for (const { headers } of hits)
        counts.set(String(headers[header]), (counts.get(String(headers[header])) ?? 0) + 1);
      return counts;
    },
    close: () => stop(server),
  };
}

/** Listens on a free port of the loopback until the test ends. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => stop(server));
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
