import { finished } from 'node:stream';
import type { Pace } from '../config/resolve.js';
import { ClosedError } from '../errors.js';
import type { Release } from '../pace/host-pace.js';
import { HostPace } from '../pace/host-pace.js';
import type { Exchange, Trace } from '../pipeline/exchange.js';
import type { Stage } from '../pipeline/stage.js';

/** Hosts kept before the idle ones are looked for. */
const SWEEP_AT = 1000;

export interface PaceStage {
  readonly stage: Stage;
  /** Sends away whoever still waits, with `ERR_CLOSED`. */
  close(): Promise<void>;
}

/**
 * Waits for a slot of the endpoint's host before a credential is held, and keeps it until the attempt has ended: with
 * its reply, or where that is streamed, with the body. A further attempt of the same exchange ends the one before it.
 * Endpoints without `pace` go straight on, and Bottleneck is not even loaded for them.
 */
export function paceStage(): PaceStage {
  const hosts = new Map<string, HostPace>();
  const streaming = new WeakMap<Trace, Release>();
  let bottleneck: Promise<typeof import('bottleneck')> | undefined;
  let closed = false;

  async function hostOf({ endpoint, request }: Exchange, pace: Pace): Promise<HostPace> {
    bottleneck ??= import('bottleneck');
    const { default: Bottleneck } = await bottleneck;
    if (closed) throw new ClosedError('ProxyManager');
    const name = `${endpoint.name}\n${request.url.host}`;
    const known = hosts.get(name);
    if (known !== undefined) return known;
    if (hosts.size >= SWEEP_AT) for (const [idle, host] of hosts) if (host.idle) hosts.delete(idle);
    const host = new HostPace(pace, Bottleneck);
    hosts.set(name, host);
    return host;
  }

  async function slotFor(exchange: Exchange, pace: Pace): Promise<Release> {
    const askedMs = performance.now();
    try {
      const host = await hostOf(exchange, pace);
      return await host.acquire(exchange.signal);
    } finally {
      exchange.attempt.paceMs = performance.now() - askedMs;
    }
  }

  const stage: Stage = async function pace(exchange, next) {
    if (exchange.endpoint.pace === undefined) return next(exchange);
    // The body of an attempt that is being repeated may stay open until this one has ended, which must not wait for it.
    streaming.get(exchange.trace)?.();
    const release = await slotFor(exchange, exchange.endpoint.pace);
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
  };

  return {
    stage,
    async close() {
      closed = true;
      for (const host of hosts.values()) host.close(new ClosedError('ProxyManager'));
      hosts.clear();
    },
  };
}
