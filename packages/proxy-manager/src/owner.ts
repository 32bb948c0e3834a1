import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

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
  const thread = threadOfHere();
  return [PLACE, process.pid, startOf(process.pid, thread) ?? 0, thread, names].join('-');
}

/**
 * True when the thread behind `owner` surely is no more, as that of a worker that was terminated, or has given no sign
 * of life for two minutes and cannot be looked up.
 */
export function isGone(owner: string, seenMs: number, nowMs: number): boolean {
  if (owner === NOBODY) return true;
  const [place, pid, start, thread] = owner.split('-');
  const isSilent = nowMs - seenMs > SILENCE_MS;
  if (place !== PLACE) return isSilent;
  const found = startOf(Number(pid), Number(thread));
  if (found !== undefined) return String(found) !== start;
  return startOf(Number(pid), Number(pid)) !== undefined || !answers(Number(pid)) || isSilent;
}

/** True where the process behind `owner` can be looked up. */
export function isOfHere(owner: string): boolean {
  return owner.startsWith(`${PLACE}-`);
}

/** The system's own id of this thread, which is that of the process for its first one, and where /proc does not tell. */
function threadOfHere(): number {
  const [pid, thread] = link('/proc/thread-self').split('/task/');
  return Number(pid) === process.pid ? Number(thread) : process.pid;
}

/** When a thread started, in clock ticks; -1 for one that has ended, undefined where /proc does not tell. */
function startOf(pid: number, thread: number): number | undefined {
  const stat = read(`/proc/${pid}/task/${thread}/stat`);
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
