import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Binds a process to these CPUs, where there is more than one and `taskset` is there (Linux); gives whether it did. */
export function pin(pid: number, cpus: string): boolean {
  if (availableParallelism() < 2) return false;
  return spawnSync('taskset', ['-a', '-cp', cpus, String(pid)], { stdio: 'ignore' }).status === 0;
}
