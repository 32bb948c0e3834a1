import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Settings,
} from 'node:http2';
import type { Certificate } from './certificate.js';
import { listen, type Listening } from './listen.js';

export interface Http2Origin extends Listening {
  readonly url: string;
  readonly server: Http2SecureServer;
}

/** An HTTPS server on a free port that speaks HTTP/2 with those who offer it, and HTTP/1.1 with the others. */
export async function startHttp2(
  handler: (request: Http2ServerRequest, response: Http2ServerResponse) => unknown,
  certificate: Certificate,
  settings: Settings = {},
): Promise<Http2Origin> {
  const server = createSecureServer({ ...certificate, allowHTTP1: true, settings });
  server.on('request', handler);
  const listening = await listen(server);
  return Object.assign(listening, { url: `https://127.0.0.1:${listening.port}`, server });
}
