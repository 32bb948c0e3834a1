import type { Answer } from './http.js';
import { KibanaError } from './kibana-error.js';
import { said } from './said.js';

/** What Kibana took. */
export interface Imported {
  readonly count: number;
  /** Ids that are others in this space than in the file, since the file's are taken in another space. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** `POST /api/saved_objects/_import` as it answers with 200, which says nothing about success. */
interface ImportBody {
  readonly success: boolean;
  readonly successCount: number;
  readonly successResults?: readonly { readonly id: string; readonly destinationId?: string }[];
  readonly errors?: readonly ImportFailure[];
}

interface ImportFailure {
  readonly id: string;
  readonly type: string;
  readonly error: {
    readonly type: string;
    readonly message?: string;
    readonly references?: readonly { readonly type: string; readonly id: string }[];
  };
}

/** @throws {KibanaError} anything but a whole success, each case in its own words. */
export function readImportAnswer(answer: Answer, where: string, bytes: number): Imported {
  const { status, json } = answer;
  const body = json as ImportBody | undefined;
  if (status !== 200 || typeof body?.success !== 'boolean') throw refused(answer, where, bytes);
  if (!body.success) {
    const failures = (body.errors ?? []).map((failure) => `  ${failure.type} ${failure.id}: ${describe(failure)}`);
    throw new KibanaError('ERR_KIBANA_REFUSED', [`Kibana did not import into ${where}:`, ...failures].join('\n'), {
      status,
    });
  }
  const renamed = new Map<string, string>();
  for (const { id, destinationId } of body.successResults ?? []) {
    if (destinationId !== undefined && destinationId !== id) renamed.set(id, destinationId);
  }
  return { count: body.successCount, renamed };
}

function refused(answer: Answer, where: string, bytes: number): KibanaError {
  const { status } = answer;
  const words = said(answer);
  const code = status === 422 ? 'ERR_KIBANA_VERSION' : 'ERR_KIBANA_REFUSED';
  return new KibanaError(code, `${explain(answer, where, bytes)} (${status}: ${words})`, { status });
}

function explain({ status, location }: Answer, where: string, bytes: number): string {
  switch (status) {
    case 400:
      return 'Kibana did not take the file';
    case 401:
      return 'Kibana refused the login: give --api-key, or --username and --password that it takes';
    case 403:
      return `the login may not write to ${where}: it needs the Kibana privilege "all" there (Saved Objects Management, Dashboard, Data View Management)`;
    case 404:
      return `${where} was not found: is the base path in the url, and does the space exist?`;
    case 413:
      return `the file of ${Math.ceil(bytes / 1000)} kB is too large: raise savedObjects.maxImportPayloadBytes in kibana.yml, or the limit of the proxy before it`;
    case 422:
      return 'this Kibana knows only older versions of these objects: 8.12 or later is needed';
    case 429:
      return 'Kibana is asked too often: try again in a moment';
    default:
      if (location !== undefined) return `${where} leads to ${location}: give the address that it leads to`;
      return status >= 500 ? 'Kibana failed: its log says more' : `${where} gave an answer that no Kibana gives`;
  }
}

function describe({ error }: ImportFailure): string {
  switch (error.type) {
    case 'conflict':
      return 'is there already: import with overwrite to replace it';
    case 'ambiguous_conflict':
      return 'several objects there come from the same origin: delete all of them but one, then import again';
    case 'missing_references': {
      const missing = (error.references ?? []).map(({ type, id }) => `${type} ${id}`);
      return `needs what is not there: ${missing.join(', ')}`;
    }
    case 'unsupported_type':
      return 'this Kibana knows no such type: is the feature disabled?';
    default:
      return error.message ?? error.type;
  }
}
