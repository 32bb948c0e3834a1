import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.js';
import { buildEndpoints } from './endpoints.js';
import { inFileOrder } from './file-order.js';
import { findJsonMistake } from './json-mistake.js';
import type { Path } from './problem.js';
import { problem } from './problem.js';
import type { Endpoints } from './resolve.js';
import type { SecretsFile } from './secrets-file.js';
import { checkShape } from './secrets-shape.js';
import { showsPath } from './shown.js';

export type { SecretsFile } from './secrets-file.js';

const DEFAULT_PATHS = ['./secrets.json', './configs/secrets.json'] as const;

const EXAMPLE = `create one of them, such as
    { "key_based": { "test_api": { "limit": 250, "refresh_rate": 1440, "keys": ["your-key"] } },
      "ip_based": { "test_proxy": { "limit": 500, "refresh_rate": 1440 } },
      "ips": ["proxy.example.com:8080"] }`;

/**
 * Reads and checks secrets.json: a path, a `file:` URL, the content itself, or by default `./secrets.json`, else
 * `./configs/secrets.json`. Throws one `ConfigError` with every mistake; it shows no key and no password.
 */
export function loadSecrets(
  source: string | URL | SecretsFile | undefined,
  options: { readonly fingerprintKey?: string | undefined } = {},
): Endpoints {
  const { where, file } = read(source);
  const mistakes: { readonly path: Path; readonly text: string }[] = [];
  const report = (path: Path, text: string): void => void mistakes.push({ path, text });
  checkShape(file, report);
  const endpoints = buildEndpoints(file, options.fingerprintKey, report);
  const problems = inFileOrder(file, mistakes).map(({ path, text }) => problem(path, text));
  if (problems.length > 0) throw new ConfigError(where, [...new Set(problems)]);
  return endpoints;
}

/** The file that `loadSecrets(source)` reads, absolute. Throws for a `source` that names none. */
export function secretsFile(source: string | URL | undefined): string {
  const [first] = DEFAULT_PATHS;
  return resolve(source === undefined ? (DEFAULT_PATHS.find((path) => existsSync(path)) ?? first) : pathIn(source));
}

interface Source {
  /** Names the source in errors. */
  readonly where: string;
  readonly file: unknown;
}

function read(source: string | URL | SecretsFile | undefined): Source {
  if (source === undefined) return readDefault();
  if (typeof source !== 'string' && !(source instanceof URL)) return { where: 'secrets', file: source };
  const path = pathIn(source);
  const content = readText(path);
  if (content !== undefined) return { where: path, file: parse(path, content) };
  throw showsPath(path) ? new ConfigError(path, ['no such file']) : noPath();
}

function pathIn(source: string | URL): string {
  const text = String(source);
  if (/^\s*[{[]|[\r\n]/.test(text)) {
    throw new ConfigError('secrets', ['expected a path, found JSON text (pass the object itself: JSON.parse(text))']);
  }
  if (text === '') throw new ConfigError('secrets', ['expected a path, found an empty string']);
  const isFileUrl = /^file:/i.test(text);
  if (/^[a-z][a-z\d+.-]+:/i.test(text) && !isFileUrl) {
    throw new ConfigError('secrets', ['expected a path or a file: URL, found another URL']);
  }
  // Without the query of an URL, which no file has.
  return isFileUrl ? filePath(text) : text;
}

/** It may be the keys themselves: the content of a secrets.json in quotes, in base64 or as YAML. */
function noPath(): ConfigError {
  return new ConfigError('secrets', [
    'expected a path, found a text that is no path (it is not shown, since it may hold keys; ' +
      'pass the object itself where it is the content)',
  ]);
}

function readDefault(): Source {
  for (const where of DEFAULT_PATHS) {
    const content = readText(where);
    if (content !== undefined) return { where, file: parse(where, content) };
  }
  throw new ConfigError('secrets', [
    `found neither ${DEFAULT_PATHS.join(' nor ')} in ${process.cwd()}`,
    EXAMPLE,
    "or say where the file is: { secrets: '<path>' }",
  ]);
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new ConfigError('secrets', ['expected a file: URL that names a local file, found another one']);
  }
}

/** Undefined when there is no such file. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // The cause quotes the path.
    if (!showsPath(path)) throw noPath();
    throw new ConfigError(path, [`could not be read (${String(code ?? cause)})`], { cause });
  }
}

function parse(where: string, content: string): unknown {
  const text = content.replace(/^\uFEFF/, '');
  // Read as UTF-8, its own byte order mark is twice no character, and every second byte is zero.
  if (/^(?:\uFFFD\uFFFD|.\0)/su.test(text)) {
    throw new ConfigError(where, ['expected UTF-8, found UTF-16, as > of PowerShell writes it']);
  }
  const mistake = findJsonMistake(text);
  if (mistake === undefined) return JSON.parse(text);
  throw new ConfigError(where, [`line ${mistake.line}, column ${mistake.column}: expected ${mistake.expected}`]);
}
