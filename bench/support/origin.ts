import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

/** A JSON origin in a process of its own, so that its CPU is not the client's. */
export async function forkOrigin(bodyBytes: number): Promise<{ url: string; stop(): void }> {
  const child = fork(fileURLToPath(import.meta.url), [String(bodyBytes)]);
  const [port] = (await once(child, 'message')) as [number];
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill() };
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const body = JSON.stringify({ text: 'x'.repeat(Number(process.argv[2])) });
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json').end(body);
  }).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}
