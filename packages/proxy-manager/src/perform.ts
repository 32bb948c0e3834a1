import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { overPolicy } from './config/policy.js';
import type { Endpoint } from './config/resolve.js';
import { assertSendable } from './doors/assert-sendable.js';
import { AxiosError } from './doors/axios-core.js';
import type { Answer, Call } from './doors/door.js';
import { endWithCaller } from './doors/stream.js';
import type { Engine } from './engine.js';
import type { Explanation } from './explanation.js';
import { limitedAbort } from './pipeline/abort.js';
import { conceal, concealLabels } from './pipeline/as-written.js';
import type { Exchange, ExchangePolicy, NamedSession, Reply } from './pipeline/exchange.js';
import { openAttempt, openTrace } from './pipeline/exchange.js';
import type { Waits } from './pipeline/waits.js';
import { patienceMs } from './pool/patience.js';
import type { PinnedIdentity } from './pool/pinned-identity.js';
import type { Pool } from './usage/usage-store.js';

/** What of a Request an exchange needs. */
export interface Sender {
  readonly engine: Engine;
  readonly endpoint: Endpoint;
  readonly pool: Pool;
  readonly policy: ExchangePolicy;
  readonly waits: Waits;
  readonly pin: PinnedIdentity | undefined;
  readonly session: NamedSession | undefined;
}

/** A Request, as its exchanges see it. */
export interface Sending {
  /** To be followed by one `leave`. Throws where nothing is sent any more. */
  enter(): void;
  leave(): void;
  /** By what is in force now. */
  sender(): Sender;
}

/** One exchange through the whole pipeline, from the words of a door to its answer. */
export async function perform<T>(sending: Sending, read: () => Call | Promise<Call>, answer: Answer<T>): Promise<T> {
  sending.enter();
  let opened: ReturnType<typeof openExchange> | undefined;
  let isStreaming = false;
  try {
    const reading = read();
    const call = reading instanceof Promise ? await reading : reading;
    const sender = sending.sender();
    opened = openExchange(sender, call);
    const { exchange, abort } = opened;
    abort.signal.throwIfAborted();
    const reply = await sender.engine.run(exchange);
    if (!(reply.body instanceof Readable)) return answer.reply(exchange, reply);
    isStreaming = true;
    const body = endWithCaller(reply.body, abort, (reason) => answer.error(exchange, reason));
    return answerOrHangUp(exchange, { ...reply, body }, answer);
  } catch (error) {
    throw opened === undefined ? error : answer.error(opened.exchange, error);
  } finally {
    if (!isStreaming) opened?.abort.dispose();
    sending.leave();
  }
}

/** Where the door throws, nobody will read the body, unless the error brings it along. */
function answerOrHangUp<T>(exchange: Exchange, reply: Reply & { readonly body: Readable }, answer: Answer<T>): T {
  try {
    return answer.reply(exchange, reply);
  } catch (error) {
    if (!(error instanceof AxiosError && error.response?.data === reply.body)) reply.body.destroy();
    throw error;
  }
}

/** What `perform` would do, and does not. */
export async function explain(sender: Sender, call: Call): Promise<Explanation> {
  const { exchange, abort } = openExchange(sender, call);
  try {
    return await sender.engine.explain(exchange);
  } finally {
    abort.dispose();
  }
}

/** @throws what a call must not be sent for: `ERR_CONFIG`, `ERR_HOST_NOT_ALLOWED`. */
function openExchange(sender: Sender, call: Call): { exchange: Exchange; abort: ReturnType<typeof limitedAbort> } {
  const { engine, endpoint, pool, waits, pin, session } = sender;
  const { door, outbound, extras, timeoutMs } = call;
  const policy = overPolicy(sender.policy, extras);
  const patterns = engine.givenPatterns;
  const headersMs = patienceMs(pool, timeoutMs, policy.retry);
  const bounded = headersMs === undefined ? outbound : { ...outbound, wire: { ...outbound.wire, headersMs } };
  const request = conceal(bounded, patterns);
  const { userAgent: wanted } = policy;
  const userAgent = typeof wanted === 'object' && 'value' in wanted ? wanted.value : undefined;
  assertSendable(request, { door, endpoint, pool, isPinned: pin !== undefined, given: patterns, userAgent });
  const abort = limitedAbort({
    signal: call.signal,
    alsoOn: call.alsoOn,
    timeoutMs,
    deadlineMs: policy.retry.deadlineMs,
  });
  const nowMs = engine.clock.now();
  // All that a stage may say later has its place: a copy with a new field takes several times as long.
  const exchange: Exchange = {
    id: randomUUID(),
    endpoint,
    pool,
    request,
    policy: patterns.length === 0 ? policy : { ...policy, labels: concealLabels(policy.labels, patterns) },
    signal: abort.signal,
    pin,
    session,
    identity: undefined,
    waits,
    avoid: NONE,
    shun: NONE,
    lease: undefined,
    attempt: openAttempt(0, nowMs),
    trace: openTrace(nowMs, patterns),
  };
  return { exchange, abort };
}

const NONE: ReadonlySet<string> = new Set();
