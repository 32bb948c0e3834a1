import { finished } from 'node:stream';
import type { Pace } from '../config/resolve.js';
import { ClosedError, StoreError } from '../errors.js';
import type { Release } from '../pace/host-pace.js';
import { HostPace } from '../pace/host-pace.js';
import type { Limiters } from '../pace/limiters.js';
import { paceId } from '../pace/limiters.js';
import { unlessAborted } from '../pipeline/abort.js';
import type { Exchange, Reply, Trace } from '../pipeline/exchange.js';
import type { Next, Stage } from '../pipeline/stage.js';

/** Hosts kept before the idle ones are looked for. */
const SWEEP_AT = 1000;

/** Whoever came upon a host in the moment in which it was dropped asks for it again; never leaves this file. */
const DROPPED = new Error('this host was idle');

export interface PaceStage {
  readonly stage: Stage;
  /** Sends away whoever still waits, with `ERR_CLOSED`. */
  close(): Promise<void>;
}

/**
 * Waits for a slot of the endpoint's host before a credential is held, and keeps it until the attempt has ended: with
 * its reply, or where that is streamed, with the body. A further attempt of the same exchange ends the one before it.
 * Endpoints without `pace` go straight on, and Bottleneck is not even loaded for them. Where slots are counted in Redis
 * and that fails: a `StoreError`.
 */
export function paceStage(limiters: Limiters): PaceStage {
  const hosts = new Map<string, HostPace>();
  const opening = new Map<string, Promise<HostPace>>();
  const streaming = new WeakMap<Trace, Release>();
  let closed = false;
  let sendAway: ((reason: ClosedError) => void) | undefined;
  const closing = new Promise<never>((_, reject) => (sendAway = reject));
  closing.catch(() => {});

  async function open(key: string, name: string, pace: Pace): Promise<HostPace> {
    const limiter = await limiters.open(name, pace, (fault) => {
      const host = hosts.get(key);
      // The next one who asks opens another.
      hosts.delete(key);
      host?.close(fault);
    });
    const host = new HostPace(pace, limiter);
    if (closed) host.close(new ClosedError('ProxyManager'));
    // What it stands in the place of is idle.
    hosts.get(key)?.close(DROPPED);
    hosts.set(key, host);
    return host;
  }

  async function hostOf({ endpoint, request, signal }: Exchange, pace: Pace): Promise<HostPace> {
    const name = `${endpoint.name}\n${request.url.host}`;
    // Another pace is another line: secrets.json may change.
    const key = `${name}\n${paceId(pace)}`;
    const known = hosts.get(key);
    if (known !== undefined && !known.isStale) return known;
    let host = opening.get(key);
    if (host === undefined) {
      if (hosts.size >= SWEEP_AT) sweep(hosts);
      host = Promise.race([open(key, name, pace), closing]).finally(() => opening.delete(key));
      opening.set(key, host);
    }
    return unlessAborted(host, signal);
  }

  async function slotFor(exchange: Exchange, pace: Pace): Promise<Release> {
    const askedMs = performance.now();
    try {
      for (;;) {
        if (closed) throw new ClosedError('ProxyManager');
        const host = await hostOf(exchange, pace);
        try {
          return await host.acquire(exchange.signal);
        } catch (error) {
          if (error === DROPPED) continue;
          if (!limiters.standIn || !(error instanceof StoreError)) throw error;
        }
      }
    } finally {
      exchange.attempt.paceMs = performance.now() - askedMs;
    }
  }

  async function paced(exchange: Exchange, pace: Pace, next: Next): Promise<Reply> {
    // The body of an attempt that is being repeated may stay open until this one has ended, which must not wait for it.
    streaming.get(exchange.trace)?.();
    const release = await slotFor(exchange, pace);
    try {
      const reply = await next(exchange);
      if (reply.body instanceof Uint8Array) release();
      else {
        streaming.set(exchange.trace, release);
        finished(reply.body, () => release());
      }
      return reply;
    } catch (error) {
      release();
      throw error;
    }
  }

  return {
    stage: function pace(exchange, next) {
      const { pace: wanted } = exchange.endpoint;
      return wanted === undefined ? next(exchange) : paced(exchange, wanted, next);
    },
    async close() {
      closed = true;
      sendAway?.(new ClosedError('ProxyManager'));
      for (const host of hosts.values()) host.close(new ClosedError('ProxyManager'));
      hosts.clear();
      await limiters.close();
    },
  };
}

function sweep(hosts: Map<string, HostPace>): void {
  for (const [name, host] of hosts) {
    if (!host.idle) continue;
    hosts.delete(name);
    host.close(DROPPED);
  }
}
