import type { Runtime } from 'node:inspector';
import { basename } from 'node:path';
import { partOf } from './parts.js';
import type { Sample } from './parts.js';

/** A function and what it called, all its calls by one caller together. */
export interface Frame {
  readonly name: string;
  readonly part: string;
  /** Of all CPU, with what it called. */
  readonly percent: number;
  /** The largest first; what would hardly be seen is left out. */
  readonly calls: readonly Frame[];
}

interface Branch {
  readonly name: string;
  readonly part: string;
  us: number;
  readonly calls: Map<string, Branch>;
}

const LEAST_PERCENT = 0.4;

/**
 * All stacks as one tree. What Node calls us from, such as `processTicksAndRejections`, is left out: a function that goes
 * on after an `await` is then one box, whoever woke it.
 */
export function flameTree(samples: readonly Sample[]): Frame {
  const root: Branch = { name: 'all', part: '', us: 0, calls: new Map() };
  for (const { stack, us } of samples) {
    root.us += us;
    let at = root;
    const first = stack.findIndex((called) => partOf(called) !== undefined);
    for (const called of stack.slice(Math.max(0, first))) {
      const [name, part] = [nameOf(called), partOf(called) ?? 'Node.js itself'];
      // Arrow functions of one file within each other.
      if (name === at.name && part === at.part && name.startsWith('(')) continue;
      const branch = at.calls.get(`${name} ${part}`) ?? { name, part, us: 0, calls: new Map() };
      at.calls.set(`${name} ${part}`, branch);
      branch.us += us;
      at = branch;
    }
  }
  return frameOf(root, root.us);
}

function nameOf(called: Runtime.CallFrame): string {
  const { functionName, url } = called;
  if (functionName !== '') return functionName;
  const file = partOf(called)?.startsWith('src/') ? basename(url).replace(/\.js$/, '.ts') : basename(url);
  return file === '' ? '(native)' : `(in ${file})`;
}

function frameOf({ name, part, us, calls }: Branch, all: number): Frame {
  const frames = [...calls.values()].map((each) => frameOf(each, all));
  return {
    name,
    part,
    percent: Number(((100 * us) / all).toFixed(2)),
    calls: frames
      .filter(({ percent }) => percent >= LEAST_PERCENT)
      .toSorted((a, b) => b.percent - a.percent || a.name.localeCompare(b.name)),
  };
}
