import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const GUARD = fileURLToPath(new URL('guard.mjs', import.meta.url));
const KEPT_LINES = 40;
const READY_MS = 120_000;

/** What to run, and how to see that it is ready. */
export interface DaemonCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder of its data, removed when the test runner dies before `stop()`. */
  readonly dataDir: string;
  /** The line of its output that says it is ready. */
  readonly ready: RegExp;
}

/** A running child process. */
export interface Daemon {
  /** Kills it with SIGKILL and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a process that does not outlive the test runner; resolves when it says that it is ready. */
export async function startDaemon(command: DaemonCommand): Promise<Daemon> {
  const child = spawn(command.command, command.args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const release = guard(command.dataDir, 'kill', String(child.pid));
  const kill = async (): Promise<void> => {
    release();
    child.kill('SIGKILL');
    await gone;
  };
  try {
    await untilReady(child, command);
  } catch (error) {
    await kill();
    throw error;
  }
  return { kill };
}

/**
 * Leaves a process behind that runs `command` and removes `dataDir` once this process is gone, however it went; `kill <pid>`
 * is understood everywhere. The function that is given back calls it off.
 */
export function guard(dataDir: string, command: string, ...args: string[]): () => void {
  const child = spawn(process.execPath, [GUARD, dataDir, command, ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.on('error', () => {});
  child.unref();
  return () => void child.kill('SIGKILL');
}

async function untilReady(child: ChildProcess, { name, command, ready }: DaemonCommand): Promise<void> {
  const tail: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`${name} ${what}. Its last lines:\n${tail.join('\n')}`));
    const timer = setTimeout(() => fail(`was not ready after ${READY_MS} ms`), READY_MS);
    const onLine = (line: string): void => {
      tail.push(line);
      if (tail.length > KEPT_LINES) tail.shift();
      if (!ready.test(line)) return;
      clearTimeout(timer);
      resolve();
    };
    for (const output of [child.stdout, child.stderr]) {
      if (output) createInterface({ input: output }).on('line', onLine);
    }
    child.once('error', (error) => fail(`did not start (${command}: ${error.message})`));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended (${signal ?? code}) before it was ready`);
    });
  });
}
