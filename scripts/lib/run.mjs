import { spawn } from 'node:child_process';
import { root } from './paths.mjs';

// Nothing here takes a tenth of it: a step that hangs is to fail by itself.
const LIMIT_MS = 10 * 60_000;

// Some tools colour whatever they write where CI is set.
const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: undefined };

/**
 * Runs a command in the root of the repository and resolves with its exit code and all that it wrote; it is ended, and
 * has failed, after ten minutes.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, show?: boolean, cwd?: string }} [options] `show` lets it write to the terminal instead
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { env = {}, show = false, cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...plain, ...env },
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
    });
    const chunks = [];
    const timer = setTimeout(() => {
      chunks.push(`\nEnded after ${LIMIT_MS / 60_000} minutes.`);
      child.kill('SIGKILL');
    }, LIMIT_MS);
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    const settle = (code) => {
      clearTimeout(timer);
      resolve({ code, output: chunks.map(String).join('').trim() });
    };
    child.once('error', (error) => {
      chunks.push(String(error));
      settle(1);
    });
    child.once('close', (code) => settle(code ?? 1));
  });
}

/** Runs a JavaScript file by this Node. */
export function node(file, args = [], options = {}) {
  return run(process.execPath, [file, ...args], options);
}
