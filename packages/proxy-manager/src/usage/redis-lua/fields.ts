/** What the numbers in the records are called: each record is an array, since cmsgpack packs arrays the fastest. */
const FIELDS = {
  window: ['NAME', 'LIMIT', 'KIND', 'LENGTH', 'MARGIN', 'SLOT', 'BATCHES', 'SUM'],
  batch: ['ID', 'OPENER', 'OPENED', 'ENDS', 'USED'],
  node: ['TOTAL', 'LAST', 'REST', 'MEMBER', 'GROUP', 'READY', 'WAKE', 'WINDOWS'],
  spec: ['SPEC_ID', 'SPEC_GROUP', 'SPEC_POSITION', 'SPEC_RULES'],
};

const numbers = new Map<string, string>([['NEVER', 'math.huge']]);
for (const names of Object.values(FIELDS)) for (const [at, name] of names.entries()) numbers.set(name, String(at + 1));

/**
 * Lua 5.1 knows no constants, and Redis runs a script from its top each time: a local that the functions of the script
 * share would have to be captured by each of them at every call.
 */
export function withNumbers(source: string): string {
  return source.replaceAll(/\b[A-Z]+(?:_[A-Z]+)?\b/g, (name) => numbers.get(name) ?? name);
}
