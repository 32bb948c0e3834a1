import type { Clock } from '../clock.js';
import type { Exchange, Reply } from '../pipeline/exchange.js';
import type { Next } from '../pipeline/stage.js';
import type { Ask } from './ask.js';
import { cacheControl } from './cache-control.js';
import type { ForwardReason } from './cache-status.js';
import { forwardStatus } from './cache-status.js';
import type { CacheEntry, CacheShelf } from './cache-store.js';
import { confirmedEntry, describes } from './confirm.js';
import { invalidate } from './invalidate.js';
import type { Kept, Place } from './keep.js';
import { keep, put, remove } from './keep.js';
import type { Found } from './lookup.js';
import { discard, originRequest } from './origin.js';
import { serve } from './serve.js';
import type { Storable } from './stored-reply.js';
import { confirms } from './validators.js';

/** A request that the store alone could not answer. */
export interface Question {
  readonly exchange: Exchange;
  readonly ask: Ask;
  /** What is stored for it. */
  readonly found: Found;
  readonly reason: ForwardReason;
  /** Gives the stored reply where it may serve in place of how the request ended; undefined: it never may. */
  readonly fallback:
    | ((ending: { readonly reply: Reply } | { readonly error: unknown }) => Promise<Reply | undefined>)
    | undefined;
}

/** Sends the request on, asking by the stored reply's validators where it has any, and keeps the store up with the answer. */
export async function askOrigin(
  { store, clock }: { readonly store: CacheShelf; readonly clock: Clock },
  question: Question,
  next: Next,
): Promise<Reply> {
  const { exchange, ask, found, reason, fallback } = question;
  const { trace } = exchange;
  const { request, isConditional } = originRequest(exchange.request, found.entry, ask);
  trace.cache = 'miss';
  trace.revalidates = isConditional;
  const requestedAtMs = clock.now();
  let reply: Reply;
  try {
    reply = await next(request === exchange.request ? exchange : { ...exchange, request });
  } catch (error) {
    const instead = fallback && (await fallback({ error }));
    if (instead === undefined) throw error;
    return instead;
  }
  const instead = fallback && (await fallback({ reply }));
  if (instead !== undefined) {
    discard(reply);
    return instead;
  }
  const storable = { exchange, policy: ask.policy, reply, requestedAtMs, receivedAtMs: clock.now() };
  const place = { store, found };
  if (!isConditional || found.entry === undefined || reply.status !== 304) {
    // A POST that is listed, too, may have changed what a GET gives.
    const deleting = invalidate(store, exchange, reply);
    if (deleting !== undefined) await deleting;
    return stored(storable, place, question);
  }
  discard(reply);
  const answer = confirmed(found.entry, storable, place, reason);
  // The 304 is about something that we do not hold: without conditions the origin has to send it.
  return (
    answer ??
    askOrigin({ store, clock }, { ...question, found: { ...found, first: undefined, entry: undefined } }, next)
  );
}

/** The stored reply that the origin has confirmed; undefined where it has confirmed another one. */
function confirmed(entry: CacheEntry, storable: Storable, place: Place, reason: ForwardReason): Reply | undefined {
  const { exchange, reply, receivedAtMs: nowMs } = storable;
  const { trace } = exchange;
  if ((trace.last?.redirects ?? 0) > 0 || !confirms(reply.headers, entry.headers)) {
    remove(place);
    return undefined;
  }
  const { entry: anew, isStorable } = confirmedEntry(entry, storable);
  const cacheStatus = forwardStatus(reason, 304, isStorable);
  const answer = serve(anew, exchange.request, { ageMs: anew.initialAgeMs, nowMs, cacheStatus });
  if (!isStorable) remove(place);
  else if (!reply.echoesSecret) put({ ...anew, body: new Uint8Array(anew.body) }, storable, place);
  if (answer !== undefined) {
    trace.cache = 'revalidated';
    trace.cacheAgeMs = 0;
  }
  return answer;
}

/** The origin's own reply, kept where it may be. */
function stored(storable: Storable, place: Place, { ask, reason }: Question): Reply {
  const { exchange, reply, policy } = storable;
  const { entry } = place.found;
  if (exchange.request.method === 'HEAD' && entry?.method === 'GET') {
    tellOfHead(entry, storable, place);
    return told(reply, forwardStatus(reason, reply.status, false));
  }
  const kept: Kept = ask.writes ? keep(storable, place) : { reply, stored: false };
  if (kept.stored !== true && policy.mode === 'http' && cacheControl(reply.headers).has('no-store')) remove(place);
  return told(kept.reply, forwardStatus(reason, reply.status, kept.stored), kept.isShared);
}

/** The reply to a HEAD tells how the one to a GET is by now (RFC 9111 §4.3.5). */
function tellOfHead(entry: CacheEntry, storable: Storable, place: Place): void {
  const { reply } = storable;
  if (reply.verdict.kind !== 'good' || reply.status === 304) return;
  const { entry: anew, isStorable } = confirmedEntry(entry, storable);
  if (describes(reply, entry) && isStorable && !reply.echoesSecret) put(anew, storable, place);
  else remove(place);
}

function told(reply: Reply, cacheStatus: string, isShared = false): Reply {
  return { ...reply, isShared, headers: [...reply.headers, ['cache-status', cacheStatus]] };
}
