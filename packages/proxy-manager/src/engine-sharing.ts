import { resolve } from 'node:path';
import type { ManagerOptions, RequestOptions } from './config/options.js';
import { Engine } from './engine.js';
import { ConfigError } from './errors.js';
import type { ProxyManager } from './proxy-manager.js';

/** An engine and how to let go of it; the last one to let go of a shared engine closes it. */
export interface AcquiredEngine {
  readonly engine: Engine;
  readonly release: () => Promise<void>;
}

const engines = new WeakMap<ProxyManager, Engine>();
const shared = new Map<string, { readonly engine: Engine; users: number }>();
const identities = new WeakMap<object, number>();
let lastIdentity = 0;

/** Lets Requests find the engine of their manager without making it part of the manager's public face. */
export function registerEngine(manager: ProxyManager, engine: Engine): void {
  engines.set(manager, engine);
}

/** The engine of `options.manager`, else the one that all Requests of this process with equal settings share. */
export function acquireEngine(options: RequestOptions): AcquiredEngine {
  if (options.manager !== undefined) {
    const given = engines.get(options.manager);
    if (given === undefined)
      throw new ConfigError('Request', ['manager: expected a ProxyManager, found something else']);
    return { engine: given, release: () => given.flush() };
  }
  const settings = managerSettings(options);
  const key = settingsKey(settings);
  const entry = shared.get(key) ?? { engine: new Engine(settings), users: 0 };
  entry.users += 1;
  shared.set(key, entry);
  return {
    engine: entry.engine,
    async release() {
      entry.users -= 1;
      if (entry.users > 0) return entry.engine.flush();
      if (shared.get(key) === entry) shared.delete(key);
      await entry.engine.close();
    },
  };
}

function managerSettings(options: RequestOptions): ManagerOptions {
  const { secrets, watch, dataDir, redis, elasticsearch, installAssets, usage, log, trace, fingerprintKey, clock } =
    options as ManagerOptions;
  const stores = { dataDir, redis, elasticsearch, installAssets, usage };
  const settings = { secrets, watch, ...stores, log, trace, fingerprintKey, clock };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** Equal for equal settings: plain data by value, clients and stores by identity, paths where they lead. */
function settingsKey({ secrets, dataDir, ...rest }: ManagerOptions): string {
  const paths = {
    secrets: typeof secrets === 'string' ? resolve(secrets) : (secrets ?? resolve('secrets.json')),
    dataDir: resolve(dataDir ?? '.proxy-manager'),
  };
  return JSON.stringify({ ...paths, ...rest }, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    if (value instanceof URL) return value.href;
    const isPlain =
      Object.getPrototypeOf(value) === Object.prototype &&
      !Object.values(value).some((field) => typeof field === 'function');
    return isPlain ? value : `#${identityOf(value)}`;
  });
}

function identityOf(value: object): number {
  const known = identities.get(value) ?? ++lastIdentity;
  identities.set(value, known);
  return known;
}
