import type { Socket } from 'node:net';
import type { ProxyCredential } from '../config/resolve.js';
import { proxyAuthorization } from './proxy-authorization.js';
import { authority, type Route } from './route.js';
import { answered } from './socket-steps.js';
import { causeOfStatus, TunnelRefused } from './tunnel-refused.js';

const MAX_HEAD_BYTES = 16_384;

/** Turns `socket`, connected to `proxy`, into one that talks to the target of `route` (CONNECT, RFC 9110 §9.3.6). */
export async function openHttpTunnel(socket: Socket, proxy: ProxyCredential, route: Route): Promise<void> {
  const target = authority(route);
  const authorization = proxyAuthorization(proxy);
  const password = authorization === undefined ? '' : `proxy-authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${password}\r\n`);

  let head = Buffer.alloc(0);
  const rest = await answered(socket, 'readable', () => {
    for (let chunk: Buffer | null; (chunk = socket.read()) !== null;) head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end !== -1) return head.subarray(end + 4);
    // Nothing that starts otherwise can still become an answer, so there is no reason to wait for more.
    const start = head.toString('latin1', 0, 5);
    if (head.length > MAX_HEAD_BYTES || !'HTTP/'.startsWith(start))
      throw new TunnelRefused('something that is not HTTP');
    return undefined;
  });

  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(head.toString('latin1', 0, 32))?.[1];
  if (status === undefined) throw new TunnelRefused('something that is not HTTP');
  if (!status.startsWith('2')) throw new TunnelRefused(`status ${status}`, causeOfStatus(Number(status)));
  if (rest.length > 0) socket.unshift(rest);
}
