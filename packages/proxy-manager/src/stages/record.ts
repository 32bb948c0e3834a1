import { Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Clock } from '../clock.js';
import type { ExchangeLog } from '../log/exchange-log.js';
import type { Outcome } from '../log/exchange-line.js';
import { toLine } from '../log/exchange-line.js';
import type { RecordLine } from '../log/exchange-record.js';
import { bytesToKeep } from '../log/record-content.js';
import { wantsBodies } from '../log/record-policy.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';

/** Logs every attempt before its reply or error goes back to the caller: one record each. Never throws, and waits for the disk alone. */
export function recordStage({ log, clock }: { log: ExchangeLog; clock: Clock }): Stage {
  let underWay = 0;

  function lineOf(exchange: Exchange, outcome: Outcome, startedMs: number): RecordLine {
    return toLine(exchange, outcome, clock.now(), performance.now() - startedMs);
  }

  /** At once: the reader of a stream sees its end right after this. */
  function noteEnding(exchange: Exchange, outcome: Outcome, startedMs: number): void {
    try {
      log.write(lineOf(exchange, outcome, startedMs));
    } catch (error) {
      warn(error);
    }
  }

  return async function record(exchange, next) {
    underWay += 1;
    const startedMs = performance.now();
    let outcome: Outcome;
    try {
      outcome = { reply: await next(exchange) };
    } catch (error) {
      outcome = { error };
    }
    underWay -= 1;
    const { reply } = outcome;
    if (reply === undefined || reply.body instanceof Uint8Array) {
      try {
        // Where no other is under way, none can come together with it.
        await log.gather(lineOf(exchange, outcome, startedMs), underWay === 0 ? 'tick' : 'turn');
      } catch (error) {
        warn(error);
      }
      if (reply === undefined) throw outcome.error;
      return reply;
    }
    const onEnding = (ending: BodyEnding): void => noteEnding(exchange, { reply, ...ending }, startedMs);
    return { ...reply, body: recorded(reply.body, keptBytes(exchange, reply), onEnding) };
  };
}

/** How much of a streamed body the log wants to see. */
function keptBytes({ policy }: Exchange, { status }: Reply): number {
  const bodies = policy.record?.bodies;
  return bodies !== undefined && wantsBodies(bodies, status) ? bytesToKeep(bodies.maxBytes) : 0;
}

/** Only a fault of ours comes here; the exchange must not suffer from it. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

interface BodyEnding {
  readonly bodyBytes: number;
  readonly bodyStart?: Uint8Array;
  readonly error?: Error;
}

/**
 * The same bytes, with `onEnding` called once: when they end, before the reader sees the end; when they fail; or when
 * the reader lets go. The newest chunk waits one turn of the event loop, so that one which comes together with the end
 * of the body follows the record, and one of a slow stream is not held up.
 */
function recorded(body: Readable, keep: number, onEnding: (ending: BodyEnding) => void): Readable {
  let bodyBytes = 0;
  const start: Buffer[] = [];
  let held: Buffer | undefined;
  let isNoted = false;
  function note(error: Error | null): void {
    if (isNoted) return;
    isNoted = true;
    const seen = keep === 0 ? { bodyBytes } : { bodyBytes, bodyStart: Buffer.concat(start) };
    onEnding(error === null ? seen : { ...seen, error });
  }
  function release(this: Transform): void {
    if (held === undefined || this.destroyed) return;
    const chunk = held;
    held = undefined;
    this.push(chunk);
  }
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (bodyBytes < keep) start.push(chunk.subarray(0, keep - bodyBytes));
      bodyBytes += chunk.length;
      release.call(this);
      held = chunk;
      setImmediate(() => release.call(this));
      done();
    },
    flush(done) {
      note(null);
      release.call(this);
      done();
    },
    destroy(error, done) {
      note(error);
      done(error);
    },
  });
  body.once('error', (error) => passing.destroy(error));
  body.once('close', () => {
    if (!body.readableEnded && !passing.destroyed) passing.destroy(new Error('the reply was cut off'));
  });
  passing.once('close', () => body.destroy());
  // What has broken before anybody listened says so no more.
  if (body.destroyed) passing.destroy(body.errored ?? new Error('the reply was cut off'));
  // It can break before whoever asked has it in hand; then reading it tells, and not the end of the process.
  return body.pipe(passing).on('error', () => {});
}
