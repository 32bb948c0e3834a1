import { fingerprint, Secret } from '../secret.js';
import { fieldsOf, itemsOf } from './endpoint-options.js';
import type { Path, Report } from './problem.js';
import { parseProxyAddress } from './proxy-address.js';
import type { Account, KeyCredential, ProxyCredential, WindowSpec } from './resolve.js';
import { showsVariable } from './shown.js';
import type { ShownIds } from './shown-ids.js';
import { readWindows } from './windows.js';

/** A proxy before an endpoint gives it windows. */
export type Unmetered<Credential> = Omit<Credential, 'windows'>;

/** What reading the keys of an endpoint takes beside them. */
export interface KeyContext {
  readonly fingerprintKey: string | undefined;
  /** Takes every key and every id that the file gives one. */
  readonly ids: ShownIds;
  /** Whether `apply` puts the keys into a header. */
  readonly inHeader: boolean;
  /** Those of the endpoint. */
  readonly windows: readonly WindowSpec[];
}

/** The keys of one endpoint. A mistake is reported without the key. */
export function readKeys(
  value: unknown,
  path: Path,
  { fingerprintKey, ids, inHeader, windows }: KeyContext,
  report: Report,
): readonly KeyCredential[] {
  const byValue = new Map<string, number>();
  const byId = new Map<string, number>();
  const accounts = new Map<string, Account>();
  return itemsOf(value).flatMap((entry, index) => {
    const plain = typeof entry === 'string';
    const where = plain ? [...path, index] : [...path, index, 'key'];
    const fields = plain ? { key: entry } : fieldsOf(entry);
    const { id: givenId, key: written } = fields;
    if (typeof written !== 'string') return [];
    const key = fromEnvironment(written, 'a key', where, report);
    if (key === undefined) return [];
    const mistake = keyMistake(key);
    if (mistake !== undefined) report(where, `expected a key, found ${mistake}`);
    else if (inHeader && !/^[ -\u00ff]*$/.test(key)) {
      report(where, 'expected characters that a header may hold (apply puts the key into one), found others');
    }
    ids.addKey(key);
    const id = typeof givenId === 'string' ? givenId : fingerprint(key, fingerprintKey);
    if (typeof givenId === 'string') {
      if (!/^[^\p{C}]{1,128}$/u.test(givenId)) {
        report([...path, index, 'id'], 'expected a name of 1 to 128 printable characters, found another string');
      } else ids.addId({ id: givenId, key, path: [...path, index, 'id'] });
    }

    const sameKey = byValue.get(key);
    const sameId = byId.get(id);
    if (sameKey !== undefined) report(where, `expected a key of its own, found that of [${sameKey}] again`);
    else if (sameId !== undefined)
      report([...path, index], `expected an id of its own, found that of [${sameId}] again`);
    byValue.set(key, index);
    byId.set(id, index);
    const account = readAccount(fields, [...path, index, 'account'], { accounts, windows, key, ids }, report);
    const own = readWindows({ limits: fields.limits }, [...path, index], report);
    const quota = fields.limits === undefined && account === undefined ? windows : own;
    const secret = new Secret(key, id);
    return [Object.freeze({ id, windows: quota, secret, ...(account && { account }) })];
  });
}

/** The account of a key, which shares the endpoint's limits with the others of its name. */
function readAccount(
  { account: name }: Readonly<Record<string, unknown>>,
  path: Path,
  shared: Pick<KeyContext, 'ids' | 'windows'> & { readonly accounts: Map<string, Account>; readonly key: string },
  report: Report,
): Account | undefined {
  if (typeof name !== 'string') return undefined;
  const { accounts, windows, key, ids } = shared;
  if (!/^[^\p{C}]{1,128}$/u.test(name)) {
    report(path, 'expected a name of 1 to 128 printable characters, found another string');
  } else ids.addId({ id: name, key, path });
  if (windows.length === 0) report(path, 'expected limits at the endpoint, which the account shares, found none');
  const known = accounts.get(name) ?? Object.freeze({ id: name, windows });
  accounts.set(name, known);
  return known;
}

/** Proxies from `ips` or `proxies`. A mistake is reported without the address. */
export function readProxies(
  value: unknown,
  path: Path,
  fingerprintKey: string | undefined,
  report: Report,
): readonly Unmetered<ProxyCredential>[] {
  const seen = new Map<string, number>();
  return itemsOf(value).flatMap((written, index) => {
    const where = [...path, index];
    if (typeof written !== 'string') return [];
    const text = fromEnvironment(written, 'a proxy address', where, report);
    if (text === undefined) return [];
    const address = parseProxyAddress(text);
    if ('mistake' in address) {
      report(where, `expected host:port or an URL with http, https or socks5, found ${address.mistake}`);
      return [];
    }
    const { protocol, hostname, port, origin, userinfo } = address;
    // Two users of one gateway are two proxies.
    const id = userinfo === undefined ? origin : `${origin}#${fingerprint(userinfo, fingerprintKey, 48)}`;
    const same = seen.get(id);
    if (same !== undefined) report(where, `expected a proxy of its own, found that of [${same}] again`);
    seen.set(id, index);
    return [{ id, protocol, hostname, port, userinfo: userinfo === undefined ? undefined : new Secret(userinfo, id) }];
  });
}

/** The value itself, or that of the variable that `env:NAME` names. */
function fromEnvironment(written: string, what: string, path: Path, report: Report): string | undefined {
  if (!written.startsWith('env:')) return written;
  const name = written.slice('env:'.length);
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    report(path, 'expected env: and the name of a variable, found other characters behind env:');
    return undefined;
  }
  const value = process.env[name];
  if (value) return value;
  const shown = showsVariable(name) ? name : 'behind env: (its name is not shown, it may be a secret)';
  report(path, `expected ${what} in the environment variable ${shown}, found it ${value === '' ? 'empty' : 'unset'}`);
  return undefined;
}

function keyMistake(key: string): string | undefined {
  if (key === '') return 'an empty string';
  if (/[\p{Cc}\p{Cs}]/u.test(key)) return 'one with a line break or control character';
  return key.trim() === key ? undefined : 'one with white space around it';
}
