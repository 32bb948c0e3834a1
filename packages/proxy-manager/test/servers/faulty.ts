import { createServer, type Socket } from 'node:net';
import { listen, type Listening } from './listen.js';

/** How a server goes wrong, after it took the connection. */
export type Fault =
  /** Says nothing, ever. */
  | 'hang'
  /** Resets the connection once it has read something. */
  | 'reset'
  /** Closes the connection in silence once it has read something. */
  | 'close'
  /** Answers 407 to everything. */
  | '407'
  /** Answers 403, 502, 503 or 504 to everything. */
  | '403'
  | '502'
  | '503'
  | '504'
  /** Answers with something that is not HTTP. */
  | 'garbage'
  /** Says yes to a tunnel, and then closes it. */
  | 'open-and-close';

const answers: Readonly<Record<Fault, (socket: Socket) => unknown>> = {
  hang: () => {},
  reset: (socket) => socket.resetAndDestroy(),
  close: (socket) => socket.end(),
  '407': (socket) =>
    socket.end(
      'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="x"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    ),
  '403': (socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  '502': (socket) => socket.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  '503': (socket) => socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  '504': (socket) => socket.end('HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
  garbage: (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n\r\n'),
  'open-and-close': (socket) => socket.end('HTTP/1.1 200 Connection established\r\n\r\n'),
};

/** A server or proxy that fails at the level of its socket, always in the same way. */
export function startFaulty(fault: Fault): Promise<Listening> {
  return startRaw((socket) => answers[fault](socket));
}

/** A server that says what `onData` writes each time it has read something; the request so far is given as text. */
export function startRaw(onData: (socket: Socket, soFar: string) => unknown): Promise<Listening> {
  return listen(
    createServer((socket) => {
      let soFar = '';
      socket.on('data', (chunk) => onData(socket, (soFar += chunk.toString('latin1'))));
    }),
  );
}

/** A port on which nobody listens: connecting is refused. */
export async function closedPort(): Promise<number> {
  const server = await startRaw(() => {});
  await server.close();
  return server.port;
}
