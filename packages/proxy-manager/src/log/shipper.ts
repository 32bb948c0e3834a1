import type { ExchangeSink } from './exchange-log.js';
import type { DeadLetters } from './dead-letters.js';
import { unpack } from './packing.js';
import type { Problems } from './problems.js';
import type { Segment } from './segment.js';
import { readCursor, writeCursor } from './segment.js';
import type { Batch } from './segment-reader.js';
import { BATCH_MAX_BYTES, BATCH_MAX_LINES, readBatches } from './segment-reader.js';

/** The longest that a record waits for others to be shipped with. */
const LINGER_MS = 1000;

const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;

/** Brings the segments of one log to one sink, in the background, for as long as it takes. */
export interface Shipper {
  /** There is so much more to ship: it goes out in time. */
  more(bytes: number, records: number): void;
  /** Tries at once, also where a pause was on. True when all that is in the segments now is with the sink. */
  drain(): Promise<boolean>;
  /** True when the sink has all of a segment. */
  has(segment: Segment): boolean;
  /** How many bytes of a segment the sink has. */
  shippedBytes(segment: Segment): number;
  /** True for the segment that is being read. */
  isOn(segment: Segment): boolean;
  /** True since the sink last refused, until it takes a batch again. */
  readonly failing: boolean;
  /** Ends it: what is under way is aborted, and no cursor moves any more. */
  stop(): void;
}

export function startShipper(options: {
  readonly sink: ExchangeSink;
  readonly directory: string;
  /** What there is to ship, in this order. */
  readonly segments: () => readonly Segment[];
  readonly problems: Problems;
  readonly deadLetters: DeadLetters;
  /** A segment could not be read. */
  readonly onUnreadable: (segment: Segment, error: unknown) => void;
  /** Called after each run, when segments may have become superfluous. */
  readonly onShipped: () => void;
}): Shipper {
  const { sink, directory, segments, problems, deadLetters, onUnreadable, onShipped } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const fault = `sink ${sink.name}`;
  const offsets = new WeakMap<Segment, number>();
  /** Segments whose next batch may have been shipped before. */
  const doubtful = new WeakSet<Segment>();
  let current: Segment | undefined;
  let waiting = { records: 0, bytes: 0 };
  let linger: NodeJS.Timeout | undefined;
  let running: Promise<boolean> | undefined;
  let failures = 0;
  let wake: (() => void) | undefined;

  function offsetOf(segment: Segment): number {
    let offset = offsets.get(segment);
    if (offset === undefined) {
      offset = readCursor(directory, segment.id, sink.name);
      offsets.set(segment, offset);
      // Whoever wrote it may have died between a batch and its cursor.
      if (segment.takenOver === true) doubtful.add(segment);
    }
    return offset;
  }

  /** Only what is there now: a log that is written all the time would else never be drained. */
  async function run(): Promise<boolean> {
    const targets = segments().map((segment) => ({ segment, size: segment.size }));
    let isComplete = true;
    for (const { segment, size } of targets) {
      current = segment;
      isComplete = (await shipSegment(segment, size)) && isComplete;
      current = undefined;
      if (signal.aborted) return false;
    }
    return isComplete;
  }

  async function shipSegment(segment: Segment, size: number): Promise<boolean> {
    if (offsetOf(segment) >= size) return true;
    try {
      await unpack(segment);
      for await (const batch of readBatches(segment.path, offsetOf(segment), Math.min(size, segment.size))) {
        if (!(await shipBatch(batch, segment))) return false;
        offsets.set(segment, batch.end);
        keepCursor(segment, batch.end);
      }
      return true;
    } catch (error) {
      onUnreadable(segment, error);
      return false;
    }
  }

  /** Asks the sink until it has the lines, and never rejects; false when the shipper was stopped before. */
  async function shipBatch({ lines }: Batch, segment: Segment): Promise<boolean> {
    while (!signal.aborted) {
      try {
        const context = {
          isDoubtful: doubtful.has(segment),
          refuse: (line: string, reason: string) => deadLetters.add(sink.name, line, reason),
        };
        doubtful.add(segment);
        if (lines.length > 0) await sink.ship(lines, signal, context);
        doubtful.delete(segment);
        failures = 0;
        problems.mended(fault);
        return !signal.aborted;
      } catch (error) {
        if (signal.aborted) return false;
        failures += 1;
        problems.report(fault, `could not ship to ${sink.name}, records wait in ${directory}`, error);
        await backOff();
      }
    }
    return false;
  }

  function keepCursor(segment: Segment, offset: number): void {
    try {
      writeCursor(directory, segment.id, sink.name, offset);
    } catch (error) {
      problems.report('cursor', `could not note in ${directory} what was shipped, it may be shipped again`, error);
    }
  }

  function backOff(): Promise<void> {
    const longest = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 16));
    return new Promise((resolve) => {
      // Unreferenced: a finished program may end, the next process ships the rest.
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2)).unref();
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function start(): Promise<boolean> {
    clearTimeout(linger);
    linger = undefined;
    waiting = { records: 0, bytes: 0 };
    running = run().finally(() => {
      running = undefined;
      if (signal.aborted) return;
      onShipped();
      plan();
    });
    return running;
  }

  function plan(): void {
    if (running !== undefined || signal.aborted || waiting.records === 0) return;
    if (waiting.records >= BATCH_MAX_LINES || waiting.bytes >= BATCH_MAX_BYTES) void start();
    else linger ??= setTimeout(() => void start(), LINGER_MS).unref();
  }

  return {
    more(bytes, records) {
      waiting.records += records;
      waiting.bytes += bytes;
      plan();
    },
    async drain() {
      failures = 0;
      wake?.();
      // The run under way may have begun before the newest record.
      await running;
      if (signal.aborted) return false;
      return running ?? start();
    },
    isOn: (segment) => current === segment,
    shippedBytes: offsetOf,
    has: (segment) => offsetOf(segment) >= segment.size,
    get failing() {
      return failures > 0;
    },
    stop() {
      clearTimeout(linger);
      stopping.abort(new Error('the log is closing'));
      wake?.();
    },
  };
}
