import type { AxiosInstance } from 'axios';
import axios from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import axiosRetry from 'axios-retry';
import { got } from 'got';
import { ProxyManager } from 'proxy-manager';
import { Agent, request } from 'undici';

/** A client under measurement: `get` gives the parsed JSON of a url that no client has seen before. */
export interface Peer {
  get(url: string): Promise<unknown>;
  close?(): Promise<void>;
}

/** The one whose CPU is 1. */
export const BASE = 'axios';
export const EVERYTHING_ON = 'send(): everything on';

const KEYS = ['4d2f81b6a07c4e5f', 'b91e05d7c3f2486a', '7c60fa3e918b4d25', 'e83b7f1d5a9640c2'];

/** All that is measured, each to be opened in a process of its own: two in one share its heap and its compiled code. */
export const peers: ReadonlyMap<string, (dataDir: string) => Peer> = new Map<string, (dataDir: string) => Peer>([
  [BASE, () => ofAxios(axios.create())],
  ['got', () => ({ get: (url) => got(url).json() })],
  ['fetch (global)', () => ({ get: async (url) => (await fetch(url)).json() })],
  ['undici.request', ofUndici],
  ['axios, axios-cache-interceptor, axios-retry', dressed],
  ['send(): everything off', (dataDir) => ours(dataDir, { isOn: false })],
  [EVERYTHING_ON, (dataDir) => ours(dataDir, { isOn: true })],
  ['fetch door: everything off', (dataDir) => ours(dataDir, { isOn: false, door: 'fetch' })],
  ['fetch door: everything on', (dataDir) => ours(dataDir, { isOn: true, door: 'fetch' })],
  ['send(): everything on, pace', (dataDir) => ours(dataDir, { isOn: true, pace: { concurrency: 64 } })],
]);

function ofAxios(client: AxiosInstance): Peer {
  return { get: async (url) => (await client.get<unknown>(url)).data };
}

function dressed(): Peer {
  const client = axios.create();
  axiosRetry(client, { retries: 3 });
  return ofAxios(setupCache(client));
}

function ofUndici(): Peer {
  const dispatcher = new Agent();
  return {
    get: async (url) => (await request(url, { dispatcher })).body.json(),
    close: () => dispatcher.close(),
  };
}

/**
 * Off: a key without a limit, no user agent, no cache, no retry, counts in memory. On: four keys with a limit, a user
 * agent, a cache miss that is looked up and written, counts that outlive the process. The log is always written.
 */
function ours(
  dataDir: string,
  {
    isOn,
    pace,
    door = 'send',
  }: {
    readonly isOn: boolean;
    readonly pace?: { readonly concurrency: number };
    readonly door?: 'fetch' | 'send';
  },
): Peer {
  const manager = new ProxyManager({
    dataDir,
    ...(isOn ? {} : { usage: 'memory', cache: { store: 'memory' } }),
    secrets: {
      key_based: {
        bench: {
          keys: isOn ? KEYS : KEYS.slice(0, 1),
          apply: { headers: { 'x-api-key': '{key}' } },
          ...(isOn ? { limit: 1_000_000_000, refresh_rate: 1440 } : {}),
          ...(pace === undefined ? {} : { pace }),
        },
      },
    },
  });
  const req = manager.request('bench', isOn ? { cache: true } : { userAgent: false, retry: { attempts: 1 } });
  const get = {
    send: async (url: string) => (await req.send(url)).data,
    fetch: async (url: string) => (await req.fetch(url)).json(),
  };
  return { get: get[door], close: () => manager.close() };
}
