import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagerOptions } from 'proxy-manager';
import { ProxyManager } from 'proxy-manager';
import { afterAll, onTestFinished } from 'vitest';

/** An empty directory that goes with the test. */
export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'proxy-manager-e2e-'));
  onTestFinished(() => remove(dir));
  return dir;
}

/** An empty directory that goes with the test file. */
export function fileDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'proxy-manager-e2e-'));
  afterAll(() => remove(dir));
  return dir;
}

function remove(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

/** A manager on its own data directory, closed with the test. */
export function startManager(options: ManagerOptions): ProxyManager {
  const manager = new ProxyManager({ dataDir: join(tempDir(), 'state'), ...options });
  onTestFinished(() => manager.close());
  return manager;
}

export function writeSecrets(dir: string, secrets: unknown): string {
  const path = join(dir, 'secrets.json');
  writeFileSync(path, JSON.stringify(secrets));
  return path;
}

/** The fields of a log document that the tests read. */
export interface LoggedExchange {
  readonly labels: Readonly<Record<string, string>>;
  readonly http: { readonly request: { readonly id: string }; readonly response: { readonly status_code: number } };
  readonly proxy_manager: {
    readonly cache: { readonly status: string };
    readonly attempt?: { readonly number: number };
  };
}

/** Every record of the spool below `dataDir`, in order. */
export function spooled(dataDir: string): LoggedExchange[] {
  const log = join(dataDir, 'log');
  return readdirSync(log)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .flatMap((name) => readFileSync(join(log, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LoggedExchange);
}

/** All bytes of all files below a directory: what a thief of the disk would search. */
export function everyByteBelow(dir: string): Buffer {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))));
}
