import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Server } from 'proxy-chain';
import { onTestFinished } from 'vitest';

export interface TestProxy {
  /** As it stands in secrets.json. */
  readonly address: string;
  readonly hostPort: string;
  /** How many requests came in. */
  uses(): number;
}

/** A real forward proxy, with a password when one is given, on a free port or `port`; closed with the test. */
export async function startProxy(login?: { username: string; password: string }, port = 0): Promise<TestProxy> {
  let uses = 0;
  const server = new Server({
    port,
    host: '127.0.0.1',
    prepareRequestFunction({ username, password }) {
      uses += 1;
      return {
        requestAuthentication: login !== undefined && (username !== login.username || password !== login.password),
      };
    },
  });
  await server.listen();
  onTestFinished(() => server.close(true));
  const hostPort = `127.0.0.1:${server.port}`;
  const userinfo = login && `${encodeURIComponent(login.username)}:${encodeURIComponent(login.password)}@`;
  return { hostPort, address: userinfo === undefined ? hostPort : `http://${userinfo}${hostPort}`, uses: () => uses };
}

/** A port where something is wrong: what happens to each connection is up to `behave`. */
export async function startFaultyProxy(behave: (socket: Socket) => void): Promise<TestProxy> {
  let uses = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    uses += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { hostPort, address: hostPort, uses: () => uses };
}

/** A port that refuses: it was free a moment ago. */
export async function closedPort(): Promise<TestProxy> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise((resolve) => server.close(resolve));
  return { hostPort, address: hostPort, uses: () => 0 };
}
