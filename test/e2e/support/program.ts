import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  /** Standard output, then standard error. */
  readonly output: string;
}

export interface Running {
  /** Resolves when the output so far holds `text`; rejects when the program ends without it. */
  saw(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly cwd: string;
  /** Over this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A built file of examples/, by its path below examples/dist. */
export function builtExample(path: string): string {
  return fileURLToPath(new URL(`../../../examples/dist/${path}`, import.meta.url));
}

/** Starts a Node program as a user would. */
export function startProgram(file: string, { args = [], cwd, env = {} }: ProgramOptions): Running {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.stderr += chunk));
  const ended = once(child, 'close').then(([code]): Ended => ({
    code: code as number | null,
    output: texts.stdout + texts.stderr,
  }));
  return {
    ended,
    saw: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!texts.stdout.includes(text)) return;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        void ended.then(({ output }) => reject(new Error(`ended without ${JSON.stringify(text)}: ${output}`)));
        look();
      }),
  };
}

/** Runs a Node program to its end. */
export function runProgram(file: string, options: ProgramOptions): Promise<Ended> {
  return startProgram(file, options).ended;
}
