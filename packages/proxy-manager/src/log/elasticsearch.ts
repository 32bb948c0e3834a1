import type { Client } from '@elastic/elasticsearch';
import { bareError, ProxyManagerError } from '../errors.js';
import { LOG_DATA_STREAM } from './assets.js';
import type { ExchangeSink } from './exchange-log.js';
import { ensureAssets } from './install-assets.js';
import type { OnProblem } from './problems.js';
import { problemReports } from './problems.js';

const REQUEST_TIMEOUT_MS = 30_000;

export interface ElasticsearchSinkOptions {
  /** Asked on first use; it stays open when the sink closes. */
  readonly client: () => Promise<Client>;
  /**
   * Make the templates before the first record is sent.
   * @default true
   */
  readonly installAssets?: boolean;
  /** Told when Elasticsearch refuses a record for good. Default: a Node.js warning. */
  readonly onProblem?: OnProblem;
  /** Hides the passwords of the client in what Elasticsearch says. Default: nothing is hidden. */
  readonly mask?: (text: string) => string;
}

/**
 * Ships records to the data stream `logs-proxy_manager.exchange-default`, each under its `event.id`: one that is there
 * already counts as shipped. A record that Elasticsearch refuses for good is counted, told and left out; anything else
 * rejects, and the next `ship` of the same lines sends only those that are not there yet.
 */
export function elasticsearchSink(options: ElasticsearchSinkOptions): ExchangeSink {
  const { client, installAssets = true, onProblem, mask = (text: string) => text } = options;
  const problems = problemReports(onProblem);
  /** The records of a batch that failed in part which need not be sent again. */
  const accepted = new Set<string>();
  let refused = 0;

  /** Sends the lines; those that Elasticsearch has no room for now are given back with its words. */
  async function send(elasticsearch: Client, lines: readonly Line[], signal: AbortSignal): Promise<string | undefined> {
    const response = await elasticsearch.bulk(
      {
        index: LOG_DATA_STREAM,
        operations: lines.flatMap(({ id, source }) => [`{"create":{"_id":${JSON.stringify(id)}}}`, source]),
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
      if (status === 429 || status >= 500) {
        busy = why;
        continue;
      }
      accepted.add(line.id);
      if (status >= 400 && status !== 409) refuse(line, why);
    }
    return busy;
  }

  function refuse({ id }: Line, why: string): void {
    refused += 1;
    problems.report('refused', `Elasticsearch refuses a record, it is left out (event.id ${id}): ${mask(why)}`);
  }

  /** What is too large for one request goes in two. */
  async function sendAll(
    elasticsearch: Client,
    lines: readonly Line[],
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      return await send(elasticsearch, lines, signal);
    } catch (error) {
      const [only] = lines;
      if (only === undefined || !isTooLarge(error)) throw error;
      if (lines.length === 1) {
        refuse(only, '413, too large');
        return undefined;
      }
      const half = Math.ceil(lines.length / 2);
      const first = await sendAll(elasticsearch, lines.slice(0, half), signal);
      return (await sendAll(elasticsearch, lines.slice(half), signal)) ?? first;
    }
  }

  async function ship(sources: readonly string[], signal: AbortSignal): Promise<void> {
    const elasticsearch = await client();
    if (installAssets) await ensureAssets(elasticsearch, signal);
    const lines = sources.flatMap((source) => lineOf(source)).filter(({ id }) => !accepted.has(id));
    const busy = lines.length === 0 ? undefined : await sendAll(elasticsearch, lines, signal);
    if (busy !== undefined) throw new Error(busy);
    accepted.clear();
  }

  return {
    name: 'elasticsearch',
    async ship(sources, signal) {
      try {
        await ship(sources, signal);
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
  return error instanceof Error && 'statusCode' in error && error.statusCode === 413;
}
