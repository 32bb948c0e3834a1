import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Certificate } from './certificate.js';
import { listen, type Listening } from './listen.js';

export interface Origin extends Listening {
  /** `http://127.0.0.1:port`, or https with a certificate. */
  readonly url: string;
  /** Requests that came in so far. */
  readonly requests: number;
}

/** Answers a request; one that rejects, as reading an aborted request does, hangs up. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** An HTTP server on a free port, an HTTPS one where a certificate is given. */
export async function startOrigin(handler: Handler, certificate?: Certificate): Promise<Origin> {
  let requests = 0;
  const counting: RequestListener = (request, response) => {
    requests += 1;
    new Promise((resolve) => resolve(handler(request, response))).catch(() => response.destroy());
  };
  const server = certificate ? createSecureServer(certificate, counting) : createServer(counting);
  const listening = await listen(server);
  return Object.defineProperties(listening, {
    url: { value: `${certificate ? 'https' : 'http'}://127.0.0.1:${listening.port}` },
    requests: { get: () => requests },
  }) as Origin;
}

/** The body of a request, whole. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
