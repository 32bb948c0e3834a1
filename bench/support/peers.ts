import axios from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import axiosRetry from 'axios-retry';
import { got } from 'got';
import { ProxyManager } from 'proxy-manager';
import { Agent, request } from 'undici';

/** A client under measurement: `get` gives the parsed JSON of a url that no client has seen before. */
export interface Peer {
  readonly name: string;
  get(url: string): Promise<unknown>;
  close?(): Promise<void>;
}

/** The one whose CPU is 1. */
export const BASE = 'axios';

const KEYS = ['4d2f81b6a07c4e5f', 'b91e05d7c3f2486a', '7c60fa3e918b4d25', 'e83b7f1d5a9640c2'];

/** All that is measured; `stateIn` gives a directory for one's own state. */
export function peers(stateIn: (name: string) => string): readonly Peer[] {
  const bare = axios.create();
  const dressed = setupCache(axios.create());
  axiosRetry(dressed, { retries: 3 });
  const agent = new Agent();
  return [
    { name: BASE, get: async (url) => (await bare.get<unknown>(url)).data },
    { name: 'got', get: (url) => got(url).json() },
    { name: 'fetch (global)', get: async (url) => (await fetch(url)).json() },
    {
      name: 'undici.request',
      get: async (url) => (await request(url, { dispatcher: agent })).body.json(),
      close: () => agent.close(),
    },
    {
      name: 'axios, axios-cache-interceptor, axios-retry',
      get: async (url) => (await dressed.get<unknown>(url)).data,
    },
    ours('send(): everything off', stateIn('off'), { isOn: false }),
    ours('send(): everything on', stateIn('on'), { isOn: true }),
    ours('fetch door: everything off', stateIn('fetch-off'), { isOn: false, door: 'fetch' }),
    ours('fetch door: everything on', stateIn('fetch-on'), { isOn: true, door: 'fetch' }),
    ours('send(): everything on, pace', stateIn('pace'), { isOn: true, pace: { concurrency: 64 } }),
  ];
}

/**
 * Off: a key without a limit, no user agent, no cache, no retry, counts in memory. On: four keys with a limit, a user
 * agent, a cache miss that is looked up and written, counts that outlive the process. The log is always written.
 */
function ours(
  name: string,
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
  return { name, get: get[door], close: () => manager.close() };
}
