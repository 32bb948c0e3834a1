import { fork } from 'node:child_process';
import { once } from 'node:events';

/** A server of the demo in its own process. */
export interface Child<Ready> {
  /** What it said once it was listening. */
  readonly ready: Ready;
  stop(): Promise<void>;
}

/** Starts `module` (a file beside this one) and waits until it listens. */
export async function startChild<Ready>(module: string, settings: object): Promise<Child<Ready>> {
  const child = fork(new URL(module, import.meta.url), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  child.send(settings);
  const [ready] = await Promise.race([
    once(child, 'message') as Promise<[Ready]>,
    exited.then(([code]) => Promise.reject(new Error(`${module} ended with code ${String(code)} before it listened`))),
  ]);
  return {
    ready,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** The child's side: takes its settings, listens, says so, and ends with its parent. */
export function serveParent<Ready>(listen: (settings: unknown) => Promise<Ready>): void {
  // Ctrl-C reaches the whole group; the parent ends its children once it has closed its own side.
  process.on('SIGINT', () => {});
  process.once('disconnect', () => process.exit(0));
  process.once('message', (settings) => {
    void listen(settings).then((ready) => process.send?.(ready));
  });
}
