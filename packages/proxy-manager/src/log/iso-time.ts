const MINUTE_MS = 60_000;
/** So many minutes are remembered. */
const KEPT = 100;

/** The beginnings of texts, by minute: nearly all times that records tell are of a few of them. */
const beginnings = new Map<number, string>();

/** `Date.toISOString` of an epoch time in ms. */
export function isoTime(epochMs: number): string {
  const ms = Math.trunc(epochMs);
  const minute = Math.floor(ms / MINUTE_MS);
  const rest = ms - minute * MINUTE_MS;
  // The digits behind `:`, with a 1 before them that keeps the leading zeros.
  const digits = String(100_000 + rest);
  return `${beginning(minute)}${digits.slice(1, 3)}.${digits.slice(3)}Z`;
}

/** As `2026-01-01T10:00:`. */
function beginning(minute: number): string {
  let text = beginnings.get(minute);
  if (text === undefined) {
    if (beginnings.size >= KEPT) beginnings.clear();
    text = new Date(minute * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length);
    beginnings.set(minute, text);
  }
  return text;
}
