import type { Peer } from './peers.js';

export interface Sample {
  /** µs of CPU of this process, all its threads, per request. */
  readonly cpuUs: number;
  readonly perSecond: number;
}

export interface Load {
  readonly url: string;
  readonly inFlight: number;
  readonly requests: number;
}

let nonce = 0;

/** Sends `requests` at `inFlight` at a time, each to a url of its own. */
export async function measure(peer: Peer, { url, inFlight, requests }: Load): Promise<Sample> {
  let left = requests;
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) await peer.get(`${url}?n=${nonce++}`);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: (user + system) / requests, perSecond: (requests / (performance.now() - startedMs)) * 1000 };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
