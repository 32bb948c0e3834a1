import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@elastic/elasticsearch';
import { onTestFinished } from 'vitest';
import { LOG_DATA_STREAM } from '../../../packages/proxy-manager/src/log/assets.js';
import { eventId } from '../../../packages/proxy-manager/src/log/event-id.js';
import type { ExchangeRecord } from '../../../packages/proxy-manager/src/log/exchange-record.js';

export async function logDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'pm-log-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, 'log');
}

/** What lies in a log's directory, without the `.gitignore` that keeps it out of repositories. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== '.gitignore');
}

export function aRecord(message = 'test'): ExchangeRecord {
  return { '@timestamp': new Date().toISOString(), message, event: { id: eventId(Date.now()), dataset: 'test' } };
}

/** The ids that Elasticsearch has among `ids`, as often as it has each. */
export async function storedIds(client: Client, ids: readonly string[]): Promise<string[]> {
  await client.indices.refresh({ index: LOG_DATA_STREAM });
  const found = await client.search<ExchangeRecord>({
    index: LOG_DATA_STREAM,
    size: 10_000,
    query: { terms: { 'event.id': [...ids] } },
    _source: ['event.id'],
  });
  return found.hits.hits.flatMap(({ _source }) => (_source === undefined ? [] : [_source.event.id]));
}
