import type { Profiler, Runtime } from 'node:inspector';

/** V8's name for the time that it collects garbage in. */
const GARBAGE = '(garbage collector)';

/** A moment of a profile: what ran, the outermost function first, and for how long. */
export interface Sample {
  readonly stack: readonly Runtime.CallFrame[];
  readonly us: number;
}

/** What ran while it was profiled: neither the time in which nothing did, nor that of the profiler. */
export function samplesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): readonly Sample[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  return samples.flatMap((sample, index) => {
    const stack: Runtime.CallFrame[] = [];
    for (let id: number | undefined = sample; id !== undefined && parents.has(id); id = parents.get(id)) {
      const node = byId.get(id);
      if (node !== undefined) stack.unshift(node.callFrame);
    }
    const isOfNone = stack.some(({ functionName, url }) => functionName === '(idle)' || url === 'node:inspector');
    return isOfNone ? [] : [{ stack, us: timeDeltas[index] ?? 0 }];
  });
}

/** The part of the code where a function stands: a folder of ours, or a package; undefined for Node's own. */
export function partOf({ functionName, url }: Runtime.CallFrame): string | undefined {
  if (functionName === GARBAGE) return 'garbage collector';
  // The parser of undici.
  if (url.startsWith('wasm:')) return 'undici (npm)';
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name !== undefined && name !== 'proxy-manager') return `${name} (npm)`;
  const [, folder] = /(?:proxy-manager|node_modules\/proxy-manager)\/dist\/([^/]+)/.exec(url) ?? [];
  return folder === undefined ? undefined : `src/${folder.replace(/\.js$/, '.ts')}`;
}
