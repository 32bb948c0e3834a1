import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';

/** The owner of what was let go: whoever comes first may have it. */
export const NOBODY = 'free';

/** How long after its last sign of life an owner counts as gone, where its process cannot be looked up. */
const SILENCE_MS = 120_000;

/** Where a process id means something: one machine since its start, and one pid namespace of it. */
const PLACE = createHash('sha256')
  .update([hostname(), read('/proc/sys/kernel/random/boot_id'), link('/proc/self/ns/pid')].join('\n'))
  .digest('hex')
  .slice(0, 8);

let names = 0;

/** A name for one user of something shared: no other one, in this process or elsewhere, has it now or later. */
export function ownerName(): string {
  names += 1;
  return [PLACE, process.pid, startOf(process.pid) ?? 0, threadId, names].join('-');
}

/** True when the process behind `owner` surely is no more, or has given no sign of life for two minutes and cannot be looked up. */
export function isGone(owner: string, seenMs: number, nowMs: number): boolean {
  if (owner === NOBODY) return true;
  const [place, pid, start] = owner.split('-');
  const isSilent = nowMs - seenMs > SILENCE_MS;
  if (place !== PLACE) return isSilent;
  const found = startOf(Number(pid));
  if (found !== undefined) return String(found) !== start;
  return !answers(Number(pid)) || isSilent;
}

/** True where the process behind `owner` can be looked up. */
export function isOfHere(owner: string): boolean {
  return owner.startsWith(`${PLACE}-`);
}

/** When a process started, in clock ticks; -1 for a zombie, undefined where /proc does not tell. */
function startOf(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold anything: count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[19] === undefined) return undefined;
  return fields[0] === 'Z' || fields[0] === 'X' ? -1 : Number(fields[19]);
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
