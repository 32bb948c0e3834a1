let lastMs = Number.NaN;
let lastText = '';

/** `Date.toISOString` of an epoch time in ms; many records tell of one and the same millisecond. */
export function isoTime(epochMs: number): string {
  const ms = Math.trunc(epochMs);
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
