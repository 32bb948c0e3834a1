import { connect, createServer, type Socket } from 'node:net';
import { listen, type Listening } from './listen.js';

export interface SocksProxy extends Listening {
  /** `socks5://127.0.0.1:port`, with the name and password in it, if it wants them. */
  readonly url: string;
  /** Targets that were asked for, as `host:port`. */
  readonly targets: readonly string[];
}

export interface SocksOptions {
  readonly username?: string;
  readonly password?: string;
  /** Answers every CONNECT with this reply instead of making it. */
  readonly reply?: number;
}

/** A SOCKS5 proxy (CONNECT; with or without a password) on a free port, which sends its answers one byte at a time. */
export async function startSocks({ username, password = '', reply }: SocksOptions = {}): Promise<SocksProxy> {
  const targets: string[] = [];
  const serve = async (socket: Socket): Promise<void> => {
    const take = reader(socket);
    const say = async (...bytes: number[]): Promise<void> => {
      for (const byte of bytes) await new Promise((sent) => socket.write(Uint8Array.of(byte), sent));
    };
    const [, methods = 0] = await take(2);
    const offered = await take(methods);
    if (username === undefined) await say(5, 0);
    else if (!offered.includes(2)) return void socket.end(Uint8Array.of(5, 0xff));
    else {
      await say(5, 2);
      const [, length = 0] = await take(2);
      const name = (await take(length)).toString();
      const word = (await take((await take(1))[0] ?? 0)).toString();
      if (name !== username || word !== password) return void socket.end(Uint8Array.of(1, 1));
      await say(1, 0);
    }
    const [, , , type] = await take(4);
    const host =
      type === 1
        ? (await take(4)).join('.')
        : type === 4
          ? (await take(16)).toString('hex')
          : (await take((await take(1))[0] ?? 0)).toString();
    const port = (await take(2)).readUInt16BE();
    targets.push(`${host}:${port}`);
    if (reply !== undefined) return void socket.end(Uint8Array.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0));
    const target = connect({ host, port });
    target.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => target.destroy());
    // A name as the bound address: its length has to be read before it can be skipped.
    await say(5, 0, 0, 3, 2, 104, 105, 0, 80);
    socket.pipe(target).pipe(socket);
  };
  const listening = await listen(createServer((socket) => void serve(socket).catch(() => socket.destroy())));
  const userinfo = username === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return Object.defineProperties(listening, {
    url: { value: `socks5://${userinfo}127.0.0.1:${listening.port}` },
    targets: { value: targets },
  }) as SocksProxy;
}

function reader(socket: Socket): (bytes: number) => Promise<Buffer> {
  return async (bytes) => {
    for (;;) {
      if (bytes === 0) return Buffer.alloc(0);
      const taken = socket.read(bytes) as Buffer | null;
      if (taken !== null) return taken;
      await new Promise<void>((resolve, reject) => {
        socket.once('readable', resolve).once('close', () => reject(new Error('closed')));
      });
    }
  };
}
