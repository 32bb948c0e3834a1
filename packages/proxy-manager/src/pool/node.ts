import { createHash } from 'node:crypto';
import type { Meter, WindowSpec } from '../config/resolve.js';
import { spanMs } from '../config/window-length.js';
import type { Section } from '../usage/usage-store.js';
import type { WindowRule } from './window-rule.js';
import { ruleOf } from './window-rule.js';

/** What a ledger counts and puts in order: a meter, or the account that some meters share. */
export interface Node {
  /** Its name within its section. */
  readonly id: string;
  /** Undefined: an account. */
  readonly meter: Meter | undefined;
  readonly rules: readonly WindowRule[];
  /** Whose orders it stands in: '' for those of the section, else its account's id. */
  readonly group: string;
  /** In the order of the section. */
  readonly position: number;
}

/** What is derived from a section once. */
export interface SectionFacts {
  /** Every account before its meters. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Tells these meters under these limits in this order from any others. */
  readonly stamp: string;
  /** The longest that a use can count in one of their windows, in ms; 0 where there is none. */
  readonly longestMs: number;
}

const known = new WeakMap<Section, SectionFacts>();

export function factsOf(section: Section): SectionFacts {
  let facts = known.get(section);
  if (facts === undefined) {
    facts = derived(section);
    known.set(section, facts);
  }
  return facts;
}

/** The node of a meter, and after it that of its account. */
export function pathTo({ nodes }: SectionFacts, meterId: string): readonly Node[] {
  const meter = nodes.get(meterNode(meterId));
  if (meter === undefined) return [];
  const account = nodes.get(meter.group);
  return account === undefined ? [meter] : [meter, account];
}

const meterNode = (id: string): string => `m${id}`;

function derived({ meters }: Section): SectionFacts {
  const compiled = new Map<readonly WindowSpec[], readonly WindowRule[]>();
  const rulesOf = (windows: readonly WindowSpec[]): readonly WindowRule[] => {
    const rules = compiled.get(windows) ?? windows.map(ruleOf);
    compiled.set(windows, rules);
    return rules;
  };
  const nodes = new Map<string, Node>();
  let longestMs = 0;
  for (const [position, meter] of meters.entries()) {
    const { windows, account } = meter;
    // An account without limits has nothing to share.
    const group = account === undefined || account.windows.length === 0 ? '' : `a${account.id}`;
    if (account !== undefined && group !== '' && !nodes.has(group)) {
      nodes.set(group, { id: group, meter: undefined, rules: rulesOf(account.windows), group: '', position });
    }
    const id = meterNode(meter.id);
    nodes.set(id, { id, meter, rules: rulesOf(windows), group, position });
    for (const spec of [...windows, ...(account?.windows ?? [])]) longestMs = Math.max(longestMs, spanMs(spec));
  }
  const facts = meters.map(({ id, windows, account }) => [id, windows, account?.id, account?.windows]);
  const stamp = createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
  return { nodes, stamp, longestMs };
}
