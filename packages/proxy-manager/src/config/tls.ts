import { readFileSync } from 'node:fs';
import { tls } from '../builtins.js';
import { fingerprint, Secret } from '../secret.js';
import { fieldsOf } from './endpoint-options.js';
import type { Path, Report } from './problem.js';
import type { TlsIdentity } from './resolve.js';

/** `tls` of an endpoint: each of its parts is PEM text, `env:NAME` for a variable that holds it, or the path of a file. */
export function readTls(value: unknown, path: Path, report: Report): TlsIdentity | undefined {
  if (value === undefined) return undefined;
  const entry = fieldsOf(value);
  const pem = (name: string): string | undefined => readPem(entry[name], [...path, name], report);
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')];
  const passphrase = typeof entry['passphrase'] === 'string' ? fromEnvironment(entry['passphrase']) : undefined;
  if ((cert === undefined) !== (key === undefined)) {
    report(path, 'expected cert and key together, found one of them');
    return undefined;
  }
  try {
    tls.createSecureContext({ ca, cert, key, passphrase });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    report(path, `expected certificates in PEM and the key that belongs to cert, found others (${code})`);
    return undefined;
  }
  const id = fingerprint([ca, cert, key].join('\n'));
  const secret = (text: string | undefined): Secret | undefined =>
    text === undefined ? undefined : new Secret(text, id);
  return Object.freeze({ id, ca, cert, key: secret(key), passphrase: secret(passphrase) });
}

function readPem(value: unknown, path: Path, report: Report): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = fromEnvironment(value);
  if (text === undefined) report(path, 'expected the variable behind env: to be set');
  if (text === undefined || text.includes('-----BEGIN ')) return text;
  try {
    return readFileSync(text, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    report(path, `expected PEM text, env:NAME, or the path of a file that can be read, found none (${code})`);
    return undefined;
  }
}

function fromEnvironment(written: string): string | undefined {
  return written.startsWith('env:') ? process.env[written.slice('env:'.length)] : written;
}
