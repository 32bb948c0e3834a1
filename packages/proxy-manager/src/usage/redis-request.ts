import { factsOf } from '../pool/node.js';
import type { Node } from '../pool/node.js';
import type { WindowRule } from '../pool/window-rule.js';
import { slotEndMs } from '../pool/window-rule.js';
import type { Pool, Section } from './usage-store.js';

/** Counts outlive their last use by this, or by their longest window when that is longer. */
const KEEP_MS = 30 * 86_400_000;

/** One hash tag per endpoint, so that a Cluster keeps all of it in one place; in the order of the scripts. */
export function keysOf({ endpoint, sections }: Pool): string[] {
  const ledger = `{proxy-manager:${encodeURIComponent(endpoint)}}:usage-v2`;
  const shelves = sections.flatMap(({ kind }) =>
    ['nodes', 'ready', 'waking'].map((name) => `${ledger}:${kind}:${name}`),
  );
  return [`${ledger}:head`, ...shelves];
}

/** A take as the script wants to be told of it. */
export function takeText(
  cost: number,
  pin: readonly string[] | undefined,
  avoid: ReadonlySet<string> | undefined,
  resting: ReadonlyMap<string, number> | undefined,
): string {
  if (pin === undefined && avoid === undefined && resting === undefined) return String(cost);
  const avoided = avoid && Object.fromEntries([...avoid].map((id) => [`m${id}`, true]));
  const restingUntil = resting && Object.fromEntries([...resting].map(([id, untilMs]) => [`m${id}`, untilMs]));
  return JSON.stringify({ verb: 'take', cost, pin, avoid: avoided, resting: restingUntil });
}

/** By which meters and limits a section is to be indexed. */
export function stampOf(section: Section): string {
  return `${section.kind}:${factsOf(section).stamp}`;
}

/** A pool as the scripts want to be told of it, and how long that holds. */
export interface PoolText {
  readonly json: string;
  readonly fromMs: number;
  readonly tillMs: number;
}

/** `enrol`: the numbers of the sections that Redis has not indexed by this pool. */
export function poolText(pool: Pool, nowMs: number, enrol: readonly number[]): PoolText {
  const calendars: Record<string, readonly [from: number, till: number, ends: number]> = {};
  let [fromMs, tillMs] = [-Infinity, Infinity];
  for (const section of pool.sections) {
    for (const rule of rulesIn(section).flat()) {
      if (rule.kind !== 'per') continue;
      const { startMs, endMs } = rule.periodAt(nowMs + rule.marginMs);
      const [from, till] = [startMs - rule.marginMs, endMs - rule.marginMs];
      calendars[`${rule.name} ${rule.marginMs}`] = [from, till, slotEndMs(rule, nowMs)];
      [fromMs, tillMs] = [Math.max(fromMs, from), Math.min(tillMs, till)];
    }
  }
  const sections = pool.sections.map((section, number) => {
    const { longestMs } = factsOf(section);
    const known = { kind: section.kind, stamp: stampOf(section), longestMs, keepMs: Math.max(KEEP_MS, longestMs) };
    return enrol.includes(number) ? { ...known, ...nodesOf(section) } : known;
  });
  return { json: JSON.stringify({ sections, calendars }), fromMs, tillMs };
}

const known = new WeakMap<Section, readonly (readonly WindowRule[])[]>();

/** The different lists of rules in a section. */
function rulesIn(section: Section): readonly (readonly WindowRule[])[] {
  let rules = known.get(section);
  if (rules === undefined) {
    rules = [...new Set([...factsOf(section).nodes.values()].map((node) => node.rules))];
    known.set(section, rules);
  }
  return rules;
}

function nodesOf(section: Section): { readonly nodes: readonly unknown[]; readonly rules: readonly unknown[] } {
  const lists = rulesIn(section);
  const numbers = new Map(lists.map((rules, index) => [rules, index + 1]));
  // Meters first, since an account stands where its meters let it.
  const nodes = [...factsOf(section).nodes.values()].toSorted((a, b) => b.group.length - a.group.length);
  return {
    nodes: nodes.map(({ id, group, position, rules }: Node) => [id, group, position, numbers.get(rules)]),
    rules: lists.map((rules) =>
      rules.map((rule) => [
        rule.name,
        rule.limit,
        rule.kind,
        rule.lengthMs,
        rule.marginMs,
        rule.kind === 'within' ? rule.slotMs : 0,
      ]),
    ),
  };
}
