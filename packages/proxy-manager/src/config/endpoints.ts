import { isDeepStrictEqual } from 'node:util';
import type { KeyContext, Unmetered } from './credentials.js';
import { readKeys, readProxies } from './credentials.js';
import { fieldsOf, readApply, readHosts, readPace } from './endpoint-options.js';
import { readOutcomes } from './outcomes.js';
import type { Report } from './problem.js';
import type { Apply, Endpoint, Endpoints, KeyCredential, ProxyCredential, WindowSpec } from './resolve.js';
import { ShownIds } from './shown-ids.js';
import { readTls } from './tls.js';
import { readWindows } from './windows.js';

/**
 * The endpoints of a secrets.json, and reports of every mistake that its shape alone does not show. It reads past
 * mistakes of shape, so that both kinds are told at once; with any report the result is not to be used.
 */
export function buildEndpoints(file: unknown, fingerprintKey: string | undefined, report: Report): Endpoints {
  const root = fieldsOf(file);
  const keyBased = fieldsOf(root.key_based);
  const ipBased = fieldsOf(root.ip_based);
  const shared = readProxies(root.ips, ['ips'], fingerprintKey, report);
  const names = new Set([...Object.keys(keyBased), ...Object.keys(ipBased)]);
  if (names.size === 0 && file === Object(file) && !Array.isArray(file))
    report([], 'expected at least one endpoint in key_based or ip_based, found none');

  const ids = new ShownIds();
  const endpoints = new Map(
    [...names].map((name) => {
      const keys = Object.hasOwn(keyBased, name)
        ? keysOf(name, keyBased[name], { fingerprintKey, ids }, report)
        : undefined;
      const proxies = Object.hasOwn(ipBased, name)
        ? proxiesOf(name, ipBased[name], shared, root.ips, fingerprintKey, report)
        : undefined;
      reportName(name, Object.hasOwn(keyBased, name) ? 'key_based' : 'ip_based', report);
      reportSharedIds(name, keys?.keys, proxies, report);
      const tls = eitherOf('tls', readTls, name, keyBased, ipBased, report);
      const endpoint: Endpoint = {
        name,
        keys: keys?.keys,
        proxies,
        apply: keys?.apply,
        hosts: eitherOf('hosts', readHosts, name, keyBased, ipBased, report),
        pace: eitherOf('pace', readPace, name, keyBased, ipBased, report),
        outcomes: eitherOf('outcomes', readOutcomes, name, keyBased, ipBased, report),
        ...(tls === undefined ? {} : { tls }),
      };
      return [name, Object.freeze(endpoint)];
    }),
  );
  ids.report(report);
  return endpoints;
}

function keysOf(
  name: string,
  value: unknown,
  context: Omit<KeyContext, 'inHeader' | 'windows'>,
  report: Report,
): { readonly keys: readonly KeyCredential[]; readonly apply: Apply | undefined } {
  const entry = fieldsOf(value);
  const path = ['key_based', name];
  const windows = readWindows(entry, path, report);
  const apply = readApply(entry.apply, [...path, 'apply'], report);
  const inHeader = apply !== undefined && apply.headers.length > 0;
  const keys = readKeys(entry.keys, [...path, 'keys'], { ...context, inHeader, windows }, report);
  return { keys: Object.freeze(keys), apply };
}

function proxiesOf(
  name: string,
  value: unknown,
  shared: readonly Unmetered<ProxyCredential>[],
  ips: unknown,
  fingerprintKey: string | undefined,
  report: Report,
): readonly ProxyCredential[] {
  const entry = fieldsOf(value);
  const path = ['ip_based', name];
  const windows = readWindows(entry, path, report);
  if (entry.proxies !== undefined) {
    return metered(readProxies(entry.proxies, [...path, 'proxies'], fingerprintKey, report), windows);
  }
  if (ips === undefined || (Array.isArray(ips) && ips.length === 0)) {
    report(path, 'expected proxies, here or in ips for all endpoints, found none');
  }
  return metered(shared, windows);
}

function metered<Credential extends object>(
  credentials: readonly Credential[],
  windows: readonly WindowSpec[],
): readonly (Credential & { readonly windows: readonly WindowSpec[] })[] {
  return Object.freeze(credentials.map((credential) => Object.freeze({ ...credential, windows })));
}

/** What an endpoint may say in either section; said in both, it must be the same. */
function eitherOf<Value>(
  field: string,
  read: (value: unknown, path: readonly string[], report: Report) => Value | undefined,
  name: string,
  keyBased: Readonly<Record<string, unknown>>,
  ipBased: Readonly<Record<string, unknown>>,
  report: Report,
): Value | undefined {
  const forKeys = read(fieldsOf(own(keyBased, name))[field], ['key_based', name, field], report);
  const forProxies = read(fieldsOf(own(ipBased, name))[field], ['ip_based', name, field], report);
  if (forKeys !== undefined && forProxies !== undefined && !isDeepStrictEqual(forKeys, forProxies)) {
    report(
      ['ip_based', name, field],
      'expected the same as in key_based (it may stand in one of them alone), found another',
    );
  }
  return forKeys ?? forProxies;
}

function own(section: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(section, name) ? section[name] : undefined;
}

// The shape check skips the names that objects inherit.
function reportName(name: string, section: string, report: Report): void {
  if (['__proto__', 'constructor', 'prototype'].includes(name) || !/^[^\p{C}]+$/u.test(name)) {
    report([section, name], 'expected another name for the endpoint');
  }
}

function reportSharedIds(
  name: string,
  keys: readonly KeyCredential[] | undefined,
  proxies: readonly ProxyCredential[] | undefined,
  report: Report,
): void {
  const proxyIds = new Set(proxies?.map(({ id }) => id));
  if (keys?.some(({ id }) => proxyIds.has(id))) {
    report(['key_based', name, 'keys'], 'expected ids of their own, found that of a proxy');
  }
}
