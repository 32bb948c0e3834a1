import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Names the present run of the operating system's kernel; undefined where it does not tell. */
export async function bootId(): Promise<string | undefined> {
  const told = await tell().catch(() => '');
  return /^[\dA-Fa-f-]{8,64}$/.exec(told.trim())?.[0].toLowerCase();
}

async function tell(): Promise<string> {
  if (process.platform === 'linux') return readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  if (process.platform !== 'darwin') return '';
  return (await promisify(execFile)('sysctl', ['-n', 'kern.bootsessionuuid'])).stdout;
}
