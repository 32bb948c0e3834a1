import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { freePort } from './ports.js';
import type { Service } from './service.js';

/** Says of an address in the environment that this test run put it there itself, for its workers. */
export const STARTED_SUFFIX = '_STARTED';

const WITHOUT_TLS: Readonly<Record<string, string>> = { 'https:': 'http:', 'rediss:': 'redis:' };

/** The address that whoever runs the tests gave in the variable `name`. */
export function givenUrl(name: string, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const value = env[name];
  if (!value || env[`${name}${STARTED_SUFFIX}`] === value) return undefined;
  return new URL(value);
}

/**
 * A service that is not ours to stop, behind a port of ours: `kill()` closes the port and cuts every connection, which is
 * what a client sees of a service that goes down, and the service itself never notices more.
 */
export async function startForwarder(target: URL, source: string): Promise<Service> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const url = new URL(target);
  url.protocol = WITHOUT_TLS[target.protocol] ?? target.protocol;
  url.host = `127.0.0.1:${port}`;
  let server: Server | undefined;

  const start = async (): Promise<void> => {
    server = createServer((inner) => forward(inner, connectTo(target), sockets)).listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const kill = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server?.listening) return;
    server.close();
    await once(server, 'close');
  };
  await start();
  return { url: url.href.replace(/\/$/, ''), source, kill, start, stop: kill };
}

function connectTo(target: URL): Socket {
  const host = target.hostname.replace(/^\[|\]$/g, '');
  switch (target.protocol) {
    case 'https:':
      return connectTls({ host, port: Number(target.port || 443), servername: host });
    case 'rediss:':
      return connectTls({ host, port: Number(target.port || 6379), servername: host });
    case 'redis:':
      return connect({ host, port: Number(target.port || 6379) });
    default:
      return connect({ host, port: Number(target.port || 80) });
  }
}

function forward(inner: Socket, outer: Socket, sockets: Set<Socket>): void {
  for (const [socket, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  }
}
