import { once } from 'node:events';
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/** An API as people use them: `GET /BYTES/anything` gives a JSON list of about so many bytes, fresh for an hour. */
export interface RepliesOrigin {
  readonly url: string;
  readonly pid: number;
  /** Requests answered so far. */
  requests(): Promise<number>;
  stop(): void;
}

/** In a process of its own, so that its CPU is not the client's. */
export async function forkReplies(): Promise<RepliesOrigin> {
  const child = fork(fileURLToPath(import.meta.url));
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    async requests() {
      child.send('count');
      return ((await once(child, 'message')) as [number])[0];
    },
    stop: () => child.kill(),
  };
}

function items(bytes: number): Buffer {
  const item = (id: number): object => ({
    id,
    name: `Item number ${id}`,
    price: id * 1.25,
    inStock: id % 3 === 0,
    tags: ['one', 'two'],
    seller: { id: id * 7, name: 'Somebody & Sons', country: 'DE' },
  });
  const count = Math.max(1, Math.round(bytes / (JSON.stringify(item(100)).length + 1)));
  return Buffer.from(JSON.stringify(Array.from({ length: count }, (_, id) => item(id))));
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const bodies = new Map<number, Buffer>();
  let requests = 0;
  process.on('message', () => process.send?.(requests));
  const server = createServer((req, res) => {
    requests++;
    const bytes = Number(req.url?.split('/')[1]);
    const body = bodies.get(bytes) ?? items(bytes);
    bodies.set(bytes, body);
    res.setHeader('content-type', 'application/json').setHeader('cache-control', 'max-age=3600').end(body);
  }).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}
