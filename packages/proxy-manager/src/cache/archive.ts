import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.js';
import type { SecretPattern } from '../pipeline/secret-pattern.js';
import type { CacheStore } from './cache-store.js';
import { toCassette } from './cassette.js';
import type { Har, HarEntry } from './har.js';
import { toHarEntry } from './har.js';

/** How an import went. */
export interface HarImport {
  readonly imported: number;
  /** Exchanges without an answer or its content, and those in which a pool secret stands. */
  readonly skipped: number;
}

/** All that is stored as a HAR, in the order of storing; also written to `file`, whole or not at all. */
export async function exportHar(store: CacheStore, file: string | URL | undefined): Promise<Har> {
  const { Cookie } = await import('tough-cookie');
  const entries: HarEntry[] = [];
  for await (const { key } of store.list()) {
    const entry = await store.get(key);
    if (entry !== undefined) entries.push(toHarEntry(key, entry, (field) => Cookie.parse(field)));
  }
  entries.sort((a, b) => Date.parse(a.startedDateTime) - Date.parse(b.startedDateTime));
  const har: Har = { log: { version: '1.2', creator: { name: 'proxy-manager', version: '1' }, pages: [], entries } };
  if (file !== undefined) await write(typeof file === 'string' ? file : fileURLToPath(file), JSON.stringify(har));
  return har;
}

async function write(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Stores the exchanges of a HAR: the object, or the file that holds it. A `ConfigError` where it is none. */
export async function importHar(
  store: CacheStore,
  source: Har | string | URL,
  { secrets, nowMs }: { readonly secrets: readonly SecretPattern[]; readonly nowMs: number },
): Promise<HarImport> {
  const exchanges = entriesOf(typeof source === 'string' || source instanceof URL ? await read(source) : source);
  let imported = 0;
  for (const exchange of exchanges) {
    const cassette = toCassette(exchange, secrets, nowMs);
    if (cassette === undefined) continue;
    await store.set(cassette.key, cassette.entry);
    imported++;
  }
  return { imported, skipped: exchanges.length - imported };
}

async function read(file: string | URL): Promise<unknown> {
  try {
    const text = await readFile(file, 'utf8');
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'no JSON';
    throw new ConfigError('importHar', [`${String(file)}: expected a HAR that can be read, found ${reason}`], {
      cause: error,
    });
  }
}

function entriesOf(har: unknown): readonly unknown[] {
  const log = typeof har === 'object' && har !== null && 'log' in har ? har.log : undefined;
  const entries = typeof log === 'object' && log !== null && 'entries' in log ? log.entries : undefined;
  if (Array.isArray(entries)) return entries as readonly unknown[];
  throw new ConfigError('importHar', ['log.entries: expected an array']);
}
