import { createHash } from 'node:crypto';
import type { Section } from '../usage/usage-store.js';

/** What is derived from a section once. */
export interface SectionFacts {
  readonly positions: ReadonlyMap<string, number>;
  /** Tells these meters under these limits in this order from any others. */
  readonly stamp: string;
  /** The longest of all their windows in ms; 0 where there is none. */
  readonly longestMs: number;
}

const known = new WeakMap<Section, SectionFacts>();

export function factsOf(section: Section): SectionFacts {
  let facts = known.get(section);
  if (facts === undefined) {
    const meters = section.meters.map(({ id, windows }) => [id, ...windows.map((w) => [w.limit, w.everyMs])]);
    facts = {
      positions: new Map(section.meters.map(({ id }, position) => [id, position])),
      stamp: createHash('sha256').update(JSON.stringify(meters)).digest('base64url').slice(0, 22),
      longestMs: section.meters.reduce((ms, { windows }) => Math.max(ms, ...windows.map((w) => w.everyMs)), 0),
    };
    known.set(section, facts);
  }
  return facts;
}
