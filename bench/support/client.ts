import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Load, Sample } from './measure.js';
import { measure } from './measure.js';
import { peers } from './peers.js';

/** A client under measurement, in a process of its own as its users have it. */
export interface Client {
  readonly name: string;
  readonly pid: number;
  measure(load: Load): Promise<Sample>;
  /** Resolves when its process has ended. */
  close(): Promise<void>;
}

export function forkClient(name: string, dataDir: string): Client {
  const child = fork(fileURLToPath(import.meta.url), [name, dataDir]);
  return {
    name,
    pid: child.pid ?? 0,
    async measure(load) {
      child.send(load);
      return ((await once(child, 'message')) as [Sample])[0];
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = '', dataDir = ''] = process.argv.slice(2);
  const peer = peers.get(name)?.(dataDir);
  if (peer === undefined) throw new Error(`no client ${name}`);
  process.on('message', (load: Load) => void measure(peer, load).then((sample) => process.send?.(sample)));
  process.once('disconnect', () => void peer.close?.());
}
