import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { ExchangeLog, ExchangeSink } from './exchange-log.js';
import type { ExchangeRecord } from './exchange-record.js';
import { gathering } from './gather.js';
import { ownerName } from './owner.js';
import type { OnProblem } from './problems.js';
import { problemReports } from './problems.js';
import { heldSegments } from './held-segments.js';
import { startShipper } from './shipper.js';
import { openSpool } from './spool.js';

/** How often a log shows that it lives, and looks for segments that others left behind. */
const ROUND_MS = 30_000;

/** How long `flush` and `close` wait for a sink that fails, and for one that is only slow. */
const FAILING_DEADLINE_MS = 5_000;
const SLOW_DEADLINE_MS = 15_000;

/**
 * Opens the log in `directory`. With sinks, what ended processes left there is shipped too, and a segment that every
 * sink has is removed; without any sink the segments are the log, and are kept.
 *
 * Nothing is made on disk before the first record, and no timer keeps the process alive. `flush` and `close` take 5 s
 * at most with a sink that fails, 15 s with one that is slow, where nothing else is said. The sinks stay open at `close`.
 */
export function openExchangeLog(options: {
  readonly directory: string;
  readonly sinks: readonly ExchangeSink[];
  readonly clock?: Clock;
  /** Told of each fault once, until it is mended. Default: a Node.js warning. */
  readonly onProblem?: OnProblem;
}): ExchangeLog {
  const { directory, sinks, clock = systemClock } = options;
  const problems = problemReports(options.onProblem);
  const owner = ownerName();
  const held = heldSegments({ directory, owner, problems });
  const spool = openSpool({ directory, owner, clock, problems, onOpen: (segment) => held.add(segment) });
  const shippers = sinks.map((sink) =>
    startShipper({
      sink,
      directory,
      segments: () => held.all(),
      problems,
      onUnreadable(segment, error) {
        problems.report('segment', `could not read ${segment.path}`, error);
        if (!held.isThere(segment)) held.drop(segment);
        if (segment.open) spool.rotate();
      },
      onShipped: removeShipped,
    }),
  );
  const rounds = setInterval(makeRound, ROUND_MS).unref();
  setImmediate(makeRound).unref();
  const gathered = gathering(write);
  let closing: Promise<void> | undefined;

  function write(records: readonly ExchangeRecord[]): void {
    const bytes = spool.write(...records);
    if (bytes === 0) return;
    for (const shipper of shippers) shipper.more(bytes, records.length);
  }

  function removeShipped(): void {
    for (const segment of held.all()) {
      if (!segment.open && shippers.every((shipper) => shipper.has(segment))) held.remove(segment);
    }
  }

  function makeRound(): void {
    spool.touch();
    held.touch();
    if (shippers.length === 0 || closing !== undefined) return;
    for (const { size } of held.adopt()) {
      for (const shipper of shippers) shipper.more(size, 1);
    }
  }

  async function flush(deadlineMs?: number): Promise<boolean> {
    gathered.putNow();
    if (shippers.length === 0) return true;
    const drained = Promise.all(shippers.map((shipper) => shipper.drain())).then((all) => all.every(Boolean));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      const isFailing = (): boolean => shippers.some((shipper) => shipper.failing);
      const giveUpUnlessSlow = (): void => {
        if (isFailing()) resolve(false);
        else timer = setTimeout(resolve, SLOW_DEADLINE_MS - FAILING_DEADLINE_MS, false);
      };
      // This one timer does keep the process alive: someone is waiting.
      timer =
        deadlineMs === undefined
          ? setTimeout(giveUpUnlessSlow, FAILING_DEADLINE_MS)
          : setTimeout(resolve, deadlineMs, false);
    });
    try {
      return await Promise.race([drained, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function close(deadlineMs?: number): Promise<void> {
    clearInterval(rounds);
    await flush(deadlineMs);
    for (const shipper of shippers) shipper.stop();
    spool.close();
    if (shippers.length > 0) removeShipped();
    held.letGo();
  }

  return {
    write: (record) => write([record]),
    gather: (record) => gathered.add(record),
    flush,
    close(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}
