import type { GatheredUntil } from './gather.js';
import type { RecordLine } from './exchange-record.js';

/** A place that records go to from the spool. `ship` resolves when all of them are safe there, or rejects to be asked again. */
export interface ExchangeSink {
  readonly name: string;
  /** NDJSON lines, each one record, in the order of writing. A record may come twice: `event.id` tells. */
  ship(lines: readonly string[], signal: AbortSignal, batch?: BatchContext): Promise<void>;
  close(): Promise<void>;
}

/** What a sink may want to know, or tell, of the batch that it is given. */
export interface BatchContext {
  /** True where some of the lines may be there already: an earlier try failed in mid-air, or its process did. */
  readonly isDoubtful: boolean;
  /** Puts a line aside that this place will never take; the others go on. It counts as shipped. */
  refuse(line: string, reason: string): void;
}

/** The log of exchanges. `write` never throws and never waits for a sink: the record is with the operating system when it returns. */
export interface ExchangeLog {
  write(line: RecordLine): void;
  /** As `write`, in one call with all others of this turn of the event loop: resolves when the record is with the operating system. */
  gather(line: RecordLine, until?: GatheredUntil): Promise<void>;
  /** Resolves when everything written before is with every sink, or when `deadlineMs` has passed; true when all is there. */
  flush(deadlineMs?: number): Promise<boolean>;
  /** A last flush, then the spool's files are released; what could not be shipped is shipped by the next process. */
  close(deadlineMs?: number): Promise<void>;
}
