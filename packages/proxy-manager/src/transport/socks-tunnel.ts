import { isIP, type Socket } from 'node:net';
import type { ProxyCredential } from '../config/resolve.js';
import type { Route } from './route.js';
import { answered } from './socket-steps.js';
import { TunnelRefused } from './tunnel-refused.js';

const VERSION = 5;
const NO_PASSWORD = 0;
const PASSWORD = 2;
const CONNECT = 1;
const REPLIES = [
  'granted',
  'general failure',
  'not allowed by its rules',
  'network unreachable',
  'host unreachable',
  'connection refused by the target',
  'TTL expired',
  'command not supported',
  'address type not supported',
];

/** Turns `socket`, connected to a SOCKS5 proxy, into one that talks to the target of `route` (RFC 1928, RFC 1929). */
export async function openSocksTunnel(socket: Socket, proxy: ProxyCredential, route: Route): Promise<void> {
  socket.write(Uint8Array.from(proxy.userinfo ? [VERSION, 2, NO_PASSWORD, PASSWORD] : [VERSION, 1, NO_PASSWORD]));
  const [version, method] = await take(socket, 2);
  if (version !== VERSION) throw new TunnelRefused('something that is not SOCKS5');
  if (method === PASSWORD && proxy.userinfo) await logIn(socket, proxy.userinfo.reveal());
  else if (method !== NO_PASSWORD) throw new TunnelRefused('a demand for a login that it was not given', 'password');

  socket.write(Buffer.concat([Uint8Array.of(VERSION, CONNECT, 0), address(route.hostname), port(route.port)]));
  const [, reply = 1, , addressType] = await take(socket, 4);
  if (reply !== 0) throw new TunnelRefused(REPLIES[reply] ?? `reply ${reply}`, reply === 7 ? 'proxy' : 'target');
  // The address it connected from, which says nothing to us, has to be read off the stream all the same.
  const length = addressType === 1 ? 4 : addressType === 4 ? 16 : (await take(socket, 1))[0];
  await take(socket, (length ?? 0) + 2);
}

async function logIn(socket: Socket, userinfo: string): Promise<void> {
  const colon = userinfo.indexOf(':');
  const [username, password] = colon === -1 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
  socket.write(Buffer.concat([Uint8Array.of(1), counted(username), counted(password)]));
  const [, status] = await take(socket, 2);
  if (status !== 0) throw new TunnelRefused('a refusal of the name and password', 'password');
}

function address(hostname: string): Uint8Array {
  if (isIP(hostname) === 4) return Uint8Array.of(1, ...hostname.split('.').map(Number));
  if (isIP(hostname) === 6) return Uint8Array.of(4, ...ipv6Bytes(hostname));
  return Buffer.concat([Uint8Array.of(3), counted(hostname)]);
}

/** Sixteen bytes of an IPv6 address that a `URL` has normalised: hex groups, at most one `::`. */
function ipv6Bytes(hostname: string): number[] {
  const [head = '', tail] = hostname.split('::');
  const groups = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  const start = groups(head);
  const end = tail === undefined ? [] : groups(tail);
  return [...start, ...Array<number>(16 - start.length - end.length).fill(0), ...end];
}

function port(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 255);
}

/** A string after its length in one byte, as SOCKS writes names and passwords: at most 255 bytes. */
function counted(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length > 255)
    throw new TunnelRefused('nothing, its name or password being longer than SOCKS5 can say', 'password');
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

async function take(socket: Socket, bytes: number): Promise<Buffer> {
  const read = (): Buffer | undefined => (socket.read(bytes) as Buffer | null) ?? undefined;
  return read() ?? (await answered(socket, 'readable', read));
}
