import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** The outcome of a command: its output, or why it gave none. */
export type Outcome = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly reason: string };

/** Runs a command to its end and gives what it wrote to both outputs; never throws. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  try {
    const { stdout, stderr } = await exec(command, args, { maxBuffer: 64 << 20, ...options });
    return { ok: true, output: stdout + stderr };
  } catch (error) {
    return { ok: false, reason: reasonOf(command, error) };
  }
}

/** Where and with which environment a command runs. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds. @default no limit */
  readonly timeout?: number;
}

function reasonOf(command: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return `${command}: not found`;
  const written = ['stdout', 'stderr'].map((key) => String(Reflect.get(error, key) ?? '').trim()).join('\n');
  return `${command}: ${written.trim() || error.message}`;
}
