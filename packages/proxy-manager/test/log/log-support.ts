import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { ExchangeSink } from '../../src/log/exchange-log.js';
import { toLine } from '../../src/log/exchange-line.js';
import type { ExchangeRecord, RecordLine } from '../../src/log/exchange-record.js';
import { listSegments } from '../../src/log/segment.js';

/** A directory for a log that does not exist yet; it is gone after the test. */
export async function logDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pm-log-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, 'log');
}

/** What lies in a log's directory, without the `.gitignore` that keeps it out of repositories. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== '.gitignore');
}

/** A process with a log of its own in `directory`; it does not outlive the test. */
export function forkChild(directory: string, mode: 'endless' | 'forgetful'): ChildProcess {
  const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), [directory, mode], { silent: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export function aRecord(id: string, padding = 0, message: string = 'x'.repeat(padding)): ExchangeRecord {
  return { '@timestamp': new Date(0).toISOString(), event: { id }, message };
}

/** `aRecord` as it is written. */
export function aLine(...of: Parameters<typeof aRecord>): RecordLine {
  return lineOf(aRecord(...of));
}

export function lineOf(record: ExchangeRecord): RecordLine {
  return { text: JSON.stringify(record), exchangeId: 'exchange-1', isFailure: false };
}

/** The document of an exchange, as whoever reads the log sees it. */
export function toRecord(...of: Parameters<typeof toLine>): ExchangeRecord {
  return recordOf(toLine(...of));
}

export function recordOf({ text }: RecordLine): ExchangeRecord {
  return JSON.parse(text) as ExchangeRecord;
}

/** The `event.id`s of every line in the spool, in order. */
export function spooledIds(directory: string): string[] {
  return listSegments(directory).flatMap(({ path }) => idsOf(readFileSync(path, 'utf8').split('\n').filter(Boolean)));
}

export function idsOf(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const record: ExchangeRecord = JSON.parse(line);
    return record.event.id;
  });
}

/** A sink that keeps what it gets; `failing` makes it refuse. */
export interface TestSink extends ExchangeSink {
  readonly batches: string[][];
  readonly ids: () => string[];
  failing: boolean;
  attempts: number;
}

export function testSink(name = 'test'): TestSink {
  return {
    name,
    batches: [],
    failing: false,
    attempts: 0,
    ids() {
      return idsOf(this.batches.flat());
    },
    async ship(lines) {
      this.attempts += 1;
      if (this.failing) throw new Error('the sink is away');
      this.batches.push([...lines]);
    },
    async close() {},
  };
}
