import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type StoreName = 'empty script' | 'embedded' | 'memory' | 'redis';

export interface Load {
  readonly credentials: number;
  readonly windows: 'fixed' | 'resting' | 'sliding';
  readonly inFlight: number;
}

interface Taker {
  /** Takes for `ms`, and gives how many uses. */
  run(store: StoreName, load: Load, ms: number): Promise<number>;
  stop(): void;
}

/** Processes that take from the same stores. */
export function forkTakers(processes: number, args: readonly string[]): Promise<readonly Taker[]> {
  const program = fileURLToPath(new URL('../../support/pool-taker.mjs', import.meta.url));
  return Promise.all(
    Array.from({ length: processes }, async (): Promise<Taker> => {
      const child = fork(program, args);
      await once(child, 'message');
      return {
        async run(store, load, ms) {
          child.send({ store, load, ms });
          const [taken] = (await once(child, 'message')) as [number];
          return taken;
        },
        stop: () => void child.kill(),
      };
    }),
  );
}
