import type { Change } from './journal-ledger.js';

/** What a writer wanted to append, and where: `at` is the offset, in bytes, at which the journal ended for it. */
export type JournalRecord =
  | readonly [at: number, writer: string, ...change: Change]
  /** The seal: nothing after it counts. */
  | readonly [at: number, writer: string];

export const LINE_BREAK = 10;

/** A record as it is appended: a line break, for the piece before it may have been torn off, and JSON without any. */
export function recordText(record: JournalRecord): string {
  return `\n${JSON.stringify(record)}`;
}

/**
 * Visits the records in `bytes`, which lie at `offset` of the journal, that count, until `visit` gives true: those that
 * lie where their writer wanted them. Answers where in the journal the last piece begins if it is no whole record: its
 * writer may still be at it, or dead.
 */
export function eachRecord(
  bytes: Buffer,
  offset: number,
  visit: (record: JournalRecord) => boolean,
): number | undefined {
  for (let start = 0; start < bytes.length;) {
    const next = bytes.indexOf(LINE_BREAK, start + 1);
    const end = next === -1 ? bytes.length : next;
    const record = parsed(bytes.toString('utf8', start, end));
    if (record === undefined && next === -1) return offset + start;
    if (record?.[0] === offset + start && visit(record)) return undefined;
    start = end;
  }
  return undefined;
}

function parsed(text: string): JournalRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as unknown as JournalRecord) : undefined;
  } catch {
    return undefined;
  }
}
