import type { Client } from '@elastic/elasticsearch';
import { bareError, ProxyManagerError } from '../errors.js';
import { LOG_DATA_STREAM } from './assets.js';
import type { BatchContext, ExchangeSink } from './exchange-log.js';
import { ensureAssets } from './install-assets.js';
import type { OnProblem } from './problems.js';
import { problemReports } from './problems.js';
import { domainParts } from './registered-domain.js';

const REQUEST_TIMEOUT_MS = 30_000;

/** What the stream or the user is to blame for, and no document: a missing right, a write block, too much to do. */
const PASSING: ReadonlySet<number> = new Set([401, 403, 404, 429]);

export interface ElasticsearchSinkOptions {
  /** Asked on first use; it stays open when the sink closes. */
  readonly client: () => Promise<Client>;
  /**
   * Make the templates before the first record is sent.
   * @default true
   */
  readonly installAssets?: boolean;
  /** How long Elasticsearch keeps a document; only told to it where the assets are installed. Default: 30. */
  readonly retentionDays?: number | undefined;
  /** Told when Elasticsearch refuses a record for good. Default: a Node.js warning. */
  readonly onProblem?: OnProblem;
  /** Hides the passwords of the client in what Elasticsearch says. Default: nothing is hidden. */
  readonly mask?: (text: string) => string;
}

/**
 * Ships records to the data stream `logs-proxy_manager.exchange-default`, each under its `event.id`: one that is there
 * already counts as shipped. A record that Elasticsearch refuses for good is counted, told and put aside; anything else
 * rejects, and the next `ship` of the same lines sends only those that are not there yet. A `_id` is unique within one
 * backing index alone, so a batch in doubt is first looked up in all of them: the stream may have been rolled over.
 */
export function elasticsearchSink(options: ElasticsearchSinkOptions): ExchangeSink {
  const { client, installAssets = true, retentionDays, onProblem, mask = (text: string) => text } = options;
  const problems = problemReports(onProblem);
  /** The records of a batch that failed in part which need not be sent again. */
  const accepted = new Set<string>();
  let refused = 0;

  /** Sends the lines; those that Elasticsearch has no room for now are given back with its words. */
  async function send(
    elasticsearch: Client,
    lines: readonly Line[],
    signal: AbortSignal,
    batch: BatchContext | undefined,
  ): Promise<string | undefined> {
    const withParts = await domainParts();
    const response = await elasticsearch.bulk(
      {
        index: LOG_DATA_STREAM,
        operations: lines.flatMap(({ id, source }) => [`{"create":{"_id":${JSON.stringify(id)}}}`, withParts(source)]),
        filter_path: ['errors', 'items.*.status', 'items.*.error.type', 'items.*.error.reason'],
      },
      { signal, requestTimeout: REQUEST_TIMEOUT_MS, maxRetries: 0 },
    );
    if (!response.errors) return undefined;
    let busy: string | undefined;
    for (const [index, { create }] of response.items.entries()) {
      const line = lines[index];
      if (line === undefined || create === undefined) continue;
      const { status, error } = create;
      const why = `${status} ${error?.type}: ${error?.reason}`;
      if (status >= 500 || PASSING.has(status)) {
        busy = why;
        continue;
      }
      accepted.add(line.id);
      if (status >= 400 && status !== 409) refuse(line, why, batch);
    }
    return busy;
  }

  function refuse({ id, source }: Line, why: string, batch: BatchContext | undefined): void {
    refused += 1;
    const reason = mask(why);
    problems.report('refused', `Elasticsearch refuses a record, it is put aside (event.id ${id}): ${reason}`);
    batch?.refuse(source, reason);
  }

  /** What is too large for one request goes in two. */
  async function sendAll(
    elasticsearch: Client,
    lines: readonly Line[],
    signal: AbortSignal,
    batch: BatchContext | undefined,
  ): Promise<string | undefined> {
    try {
      return await send(elasticsearch, lines, signal, batch);
    } catch (error) {
      const [only] = lines;
      if (only === undefined || !isTooLarge(error)) throw error;
      if (lines.length === 1) {
        refuse(only, '413, too large', batch);
        return undefined;
      }
      const half = Math.ceil(lines.length / 2);
      const first = await sendAll(elasticsearch, lines.slice(0, half), signal, batch);
      return (await sendAll(elasticsearch, lines.slice(half), signal, batch)) ?? first;
    }
  }

  /** Notes those of the lines that some backing index has. */
  async function lookUp(elasticsearch: Client, lines: readonly Line[], signal: AbortSignal): Promise<void> {
    const limits = { signal, requestTimeout: REQUEST_TIMEOUT_MS, maxRetries: 0 };
    const index = LOG_DATA_STREAM;
    try {
      // What was accepted a moment ago is found only then; who may not refresh finds it when the index does so itself.
      await elasticsearch.indices.refresh({ index }, { ...limits, ignore: [403, 404] });
      const found = await elasticsearch.search(
        {
          index,
          ignore_unavailable: true,
          size: lines.length,
          query: { ids: { values: lines.map(({ id }) => id) } },
          _source: false,
          filter_path: ['hits.hits._id'],
        },
        limits,
      );
      for (const { _id: id } of found.hits?.hits ?? []) if (id !== undefined) accepted.add(id);
    } catch (error) {
      if (statusOf(error) !== 403) throw error;
      const might = 'after a rollover a record that was in doubt may be there twice';
      problems.report('read', `may not read ${index}: ${might}; the role needs read and maintenance on it`);
    }
  }

  async function ship(sources: readonly string[], signal: AbortSignal, batch: BatchContext | undefined): Promise<void> {
    const elasticsearch = await client();
    if (installAssets) await ensureAssets(elasticsearch, signal, { retentionDays });
    const all = sources.flatMap((source) => lineOf(source));
    if (batch?.isDoubtful === true && all.length > 0) await lookUp(elasticsearch, all, signal);
    const lines = all.filter(({ id }) => !accepted.has(id));
    const busy = lines.length === 0 ? undefined : await sendAll(elasticsearch, lines, signal, batch);
    if (busy !== undefined) throw new Error(busy);
    accepted.clear();
  }

  return {
    name: 'elasticsearch',
    async ship(sources, signal, batch) {
      try {
        await ship(sources, signal, batch);
      } catch (error) {
        // The client's own errors hold the whole request.
        throw error instanceof ProxyManagerError ? error : bareError(error, mask);
      }
    },
    async close() {
      problems.mended('refused');
      if (refused > 0) problems.report('refused', `Elasticsearch refused ${refused} records in all`);
    },
  };
}

interface Line {
  readonly id: string;
  readonly source: string;
}

/** Our own records begin so; the quotes of a value are escaped, so this can stand nowhere else. */
const EVENT_ID = /"event":\{"id":"([^"\\]+)"/;

function lineOf(source: string): Line[] {
  const found = EVENT_ID.exec(source)?.[1];
  if (found !== undefined) return [{ id: found, source }];
  try {
    const { event }: { event?: { id?: unknown } } = JSON.parse(source);
    return typeof event?.id === 'string' ? [{ id: event.id, source }] : [];
  } catch {
    // A fragment of a line: what a full disk left.
    return [];
  }
}

function isTooLarge(error: unknown): boolean {
  return statusOf(error) === 413;
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
}
