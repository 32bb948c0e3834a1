import type { Clock } from '../clock.js';
import { systemClock } from '../clock.js';
import type { ExchangeLog, ExchangeSink } from './exchange-log.js';
import { deadLetters } from './dead-letters.js';
import { lossLine } from './loss-line.js';
import type { SpoolBounds } from './housekeeping.js';
import { gathering } from './gather.js';
import { housekeeping } from './housekeeping.js';
import { ownerName } from '../owner.js';
import type { OnProblem } from './problems.js';
import { problemReports } from './problems.js';
import { heldSegments } from './held-segments.js';
import { startShipper } from './shipper.js';
import { openSpool, SEGMENT_MAX_BYTES } from './spool.js';

const DEFAULT_BOUNDS: SpoolBounds = { maxBytes: 1024 ** 3, maxDays: 30 };

/** How often a log shows that it lives, and looks for segments that others left behind. */
const ROUND_MS = 30_000;

/** How long `flush` and `close` wait for a sink that fails, and for one that is only slow. */
const FAILING_DEADLINE_MS = 5_000;
const SLOW_DEADLINE_MS = 15_000;

/**
 * Opens the log in `directory`. With sinks, what ended processes left there is shipped too, and a segment that every
 * sink has is removed; without any sink the segments are the log. Closed segments that lie for long are compressed.
 *
 * Nothing is made on disk before the first record, and no timer keeps the process alive. `flush` and `close` take 5 s
 * at most with a sink that fails, 15 s with one that is slow, where nothing else is said. The sinks stay open at `close`.
 */
export function openExchangeLog(options: {
  readonly directory: string;
  readonly sinks: readonly ExchangeSink[];
  readonly clock?: Clock;
  /**
   * What the spool may hold; beyond it the oldest records are removed.
   * @default { maxBytes: 1_073_741_824, maxDays: 30 }
   */
  readonly bounds?: Partial<SpoolBounds>;
  /** Told of each fault once, until it is mended. Default: a Node.js warning. */
  readonly onProblem?: OnProblem;
}): ExchangeLog {
  const { directory, sinks, clock = systemClock } = options;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const problems = problemReports(options.onProblem);
  const owner = ownerName();
  const held = heldSegments({ directory, owner, problems });
  const spool = openSpool({
    directory,
    owner,
    clock,
    problems,
    // So that a small bound still leaves most of the log when its oldest part goes.
    segmentMaxBytes: Math.min(SEGMENT_MAX_BYTES, Math.ceil(bounds.maxBytes / 8)),
    onOpen(segment) {
      held.add(segment);
      void house.run();
    },
  });
  const letters = deadLetters({ directory, clock, problems });
  const shippers = sinks.map((sink) =>
    startShipper({
      sink,
      directory,
      segments: () => held.all(),
      problems,
      deadLetters: letters,
      onUnreadable(segment, error) {
        problems.report('segment', `could not read ${segment.path}`, error);
        if (!held.isThere(segment)) held.drop(segment);
        if (segment.open) spool.rotate();
      },
      onShipped: removeShipped,
    }),
  );
  const house = housekeeping({
    directory,
    held,
    bounds,
    clock,
    problems,
    isInUse: (segment) => shippers.some((shipper) => shipper.isOn(segment)),
    packs() {
      if (shippers.length === 0) return 'all';
      return shippers.some((shipper) => shipper.failing) ? 'own' : 'none';
    },
    shippedBytes: (segment) =>
      shippers.length === 0 ? 0 : Math.min(...shippers.map((shipper) => shipper.shippedBytes(segment))),
    onLoss: (loss) => write([lossLine(loss, clock.now())]),
  });
  const rounds = setInterval(makeRound, ROUND_MS).unref();
  setImmediate(makeRound).unref();
  const gathered = gathering(write);
  let closing: Promise<void> | undefined;

  function write(records: readonly string[]): void {
    const bytes = spool.write(records);
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
    if (closing !== undefined) return;
    if (shippers.length > 0) {
      for (const { size } of held.adopt()) {
        for (const shipper of shippers) shipper.more(size, 1);
      }
    }
    void house.run();
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
    await house.stop();
    spool.close();
    if (shippers.length > 0) removeShipped();
    held.letGo();
  }

  return {
    write: ({ text }) => write([text]),
    gather: ({ text }, until) => gathered.add(text, until),
    flush,
    close(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}
