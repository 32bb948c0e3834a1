import { ConfigError } from '../errors.js';
import { factsOf } from '../pool/node.js';
import type { WindowRule } from '../pool/window-rule.js';
import type { Pool } from './usage-store.js';

/** What one document may come to: it is written whole with every change. */
export const MAX_BYTES: number = 1024 * 1024;

/** About what it takes in JSON: times have 13 digits. */
const NODE_BYTES = 60;
const WINDOW_BYTES = 24;
const BATCH_BYTES = 52;
/** Of a sliding window there are as many batches as slots, see `ruleOf`. */
const MOST_SLOTS = 64;

const fitting = new WeakSet<Pool>();

/** Throws a `ConfigError` where the counts of this pool could come to more than a document may hold. */
export function assertFits(pool: Pool): void {
  if (fitting.has(pool)) return;
  let bytes = 0;
  for (const section of pool.sections) {
    for (const { id, rules } of factsOf(section).nodes.values()) {
      bytes += NODE_BYTES + id.length;
      for (const rule of rules) bytes += WINDOW_BYTES + rule.name.length + BATCH_BYTES * mostBatches(rule);
    }
  }
  if (bytes > MAX_BYTES) {
    const counts = pool.sections.map(({ kind, meters }) => `${meters.length} ${kind === 'key' ? 'keys' : 'proxies'}`);
    const fit = Math.floor((MAX_BYTES / bytes) * Math.max(...pool.sections.map(({ meters }) => meters.length)));
    throw new ConfigError(`endpoint "${pool.endpoint}"`, [
      `the counts of its ${counts.join(' and ')} under these limits can come to ${kib(bytes)} KiB, and usage: ` +
        `'elasticsearch' writes all of them with every use, so that they may come to ${kib(MAX_BYTES)} KiB: about ` +
        `${fit} of them fit. Count them in Redis or embedded, or in several endpoints.`,
    ]);
  }
  fitting.add(pool);
}

/** About the bytes of what is held, each as an array of fields of which the last are windows. */
export function heldBytes(nodes: readonly (readonly unknown[])[]): number {
  let bytes = 0;
  for (const node of nodes) {
    bytes += NODE_BYTES + String(node[0]).length;
    for (const field of node) if (Array.isArray(field)) bytes += WINDOW_BYTES + (field.length / 5) * BATCH_BYTES;
  }
  return bytes;
}

const kib = (bytes: number): number => Math.ceil(bytes / 1024);

function mostBatches({ kind, limit, marginMs }: WindowRule): number {
  if (kind === 'within') return Math.min(limit, MOST_SLOTS) + 1;
  return marginMs > 0 ? 2 : 1;
}
