import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import type { DocumentPlace, Version } from './shared-document.js';

/** How long one answer of Elasticsearch is waited for; the first write makes the index. */
const ANSWER_MS = 10_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

/** A document of Elasticsearch, read and written by its id: what others have written is seen at once. */
export function elasticsearchPlace(client: Client, index: string, id: string): DocumentPlace {
  return {
    async load() {
      const found = await answerOf((signal) => client.get({ index, id }, { ...once(signal), ignore: [404] }));
      // A 404 for the index, too, says only that there is nothing.
      const { _source: source, _seq_no, _primary_term } = found;
      if (found.found !== true) return undefined;
      if (_seq_no === undefined || _primary_term === undefined) throw new Error('Elasticsearch gave no version');
      return { source, version: { _seq_no, _primary_term } };
    },
    async write(document, over) {
      const { _seq_no, _primary_term } = await answerOf((signal) =>
        client.index({ index, id, document, ...condition(over) }, { ...once(signal), ignore: [409] }),
      );
      return _seq_no === undefined || _primary_term === undefined ? undefined : { _seq_no, _primary_term };
    },
  };
}

function condition(over: Version | undefined): object {
  if (over === undefined) return { op_type: 'create' };
  return { if_seq_no: over._seq_no, if_primary_term: over._primary_term };
}

/** Not tried again by the client: a second try of a write that was made would meet itself as a conflict. */
function once(signal: AbortSignal): { signal: AbortSignal; requestTimeout: number; maxRetries: number } {
  return { signal, requestTimeout: ANSWER_MS, maxRetries: 0 };
}

async function answerOf<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await ask(signal);
    } catch (error) {
      if (!isNotReady(error)) throw signal.aborted ? new Error(`no answer within ${ANSWER_MS} ms`) : error;
      await delay(pauseMs * (0.5 + Math.random()));
      if (signal.aborted) throw error;
    }
  }
}

/**
 * Whether a shard has not been started yet, as of an index that another process is just making or on a node that has just
 * been started: nothing was done, and soon it will be. What only stands before Elasticsearch names no type of error.
 */
function isNotReady(error: unknown): boolean {
  const { statusCode, body } = error as { statusCode?: number; body?: { error?: { type?: string } } };
  return statusCode === 503 && body?.error?.type !== undefined;
}
