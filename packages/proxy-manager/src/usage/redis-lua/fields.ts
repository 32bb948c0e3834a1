/** What the numbers in the records are called: each record is an array, which Lua makes and reads the fastest. */
const FIELDS = {
  window: ['NAME', 'LIMIT', 'KIND', 'LENGTH', 'MARGIN', 'SLOT', 'SUM', 'FIRST'],
  node: ['TOTAL', 'LAST', 'REST', 'MEMBER', 'GROUP', 'READY', 'WAKE', 'WINDOWS'],
  inLine: ['IN_MEMBER', 'IN_RECORD', 'IN_TOTAL', 'IN_LAST', 'IN_EXTRA', 'IN_USES', 'IN_ROOM', 'IN_STEADY', 'IN_TEXT'],
  spec: ['SPEC_ID', 'SPEC_GROUP', 'SPEC_POSITION', 'SPEC_RULES'],
};

/**
 * How struct packs the head: takes, now, and of the keys and of the proxies quiet and till; then both stamps. `quiet`:
 * before this there is nothing to be done for the section but to count; `till`: when its keys expire.
 */
export const HEAD = '<ddddddss';
/**
 * How struct packs what a plain take needs of a node: total, last, extra, uses, room, steady, and the text of its answer. Until
 * `steady`, `room` - 1 uses more can be counted in the last batch of each of its windows, and nothing else changes;
 * `extra` is how many were, since the windows behind it were packed; `uses` is what it stands by in the order.
 */
export const RECORD = '<dddddds';
/** What follows: rest, member, group, ready (1) or not, wake, and how many windows; then each with its own format before it. */
export const NODE = 'dI4c0I4c0ddd';

/** Of a batch, from the place of its id on. */
const BATCH = ['ID', 'OPENER', 'OPENED', 'ENDS', 'USED'];

const numbers = new Map<string, string>([['NEVER', 'math.huge']]);
for (const [at, name] of BATCH.entries()) numbers.set(name, String(at));
for (const names of Object.values(FIELDS)) for (const [at, name] of names.entries()) numbers.set(name, String(at + 1));

/**
 * Lua 5.1 knows no constants, and Redis runs a script from its top each time: a local that the functions of the script
 * share would have to be captured by each of them at every call.
 */
export function withNumbers(source: string): string {
  return source.replaceAll(/\b[A-Z]+(?:_[A-Z]+)?\b/g, (name) => numbers.get(name) ?? name);
}
