import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from './connection.js';
import { ask } from './http.js';
import type { Answer } from './http.js';
import { KibanaError } from './kibana-error.js';
import { said } from './said.js';

export interface WaitOptions {
  /** How long Kibana may take to be ready, in ms; 0: it must be. @default 60_000 */
  readonly waitMs?: number;
  /** Called about once a second while it is not ready, with the reason and the ms since the start. */
  readonly onWait?: (reason: string, waitedMs: number) => void;
}

const PAUSE_MS = 1000;
const OLDEST = [8, 12] as const;

/**
 * Resolves with the version of Kibana when it is ready.
 *
 * @throws {KibanaError} it did not become ready in time, refused the login, is too old, or is no Kibana.
 */
export async function waitForKibana(connection: Connection, options: WaitOptions = {}): Promise<string> {
  const { waitMs = 60_000, onWait } = options;
  const start = performance.now();
  while (true) {
    const state = await look(connection);
    if ('version' in state) return supported(connection, state.version);
    const waitedMs = performance.now() - start;
    if (waitedMs + PAUSE_MS > waitMs) {
      const error = state.error ?? new KibanaError('ERR_KIBANA_UNREACHABLE', `${connection.base} ${state.reason}`);
      if (waitMs === 0) throw error;
      throw new KibanaError(error.code, `${error.message} (waited ${Math.round(waitedMs / 1000)} s)`, { cause: error });
    }
    onWait?.(state.reason, waitedMs);
    await pause(PAUSE_MS, undefined, connection.signal && { signal: connection.signal });
  }
}

type State = { readonly version: string } | { readonly reason: string; readonly error?: KibanaError };

/** One look: ready with its version, or why not yet. Throws where waiting would not help. */
async function look(connection: Connection): Promise<State> {
  let answer: Answer;
  try {
    answer = await ask(connection, { method: 'GET', path: '/api/status' });
  } catch (error) {
    if (!(error instanceof KibanaError)) throw error;
    return { reason: error.message.slice(connection.base.length + 1), error };
  }
  const { status, json } = answer;
  if (status === 401 || status === 403) {
    throw new KibanaError(
      'ERR_KIBANA_REFUSED',
      `${connection.base} refused the login: give --api-key, or --username and --password that Kibana takes (${status}: ${said(answer)})`,
      { status },
    );
  }
  if (status === 503) return { reason: 'is not ready yet' };
  const { version, status: told } = (json ?? {}) as StatusBody;
  if (status !== 200 || typeof version?.number !== 'string') {
    const where = answer.location === undefined ? '' : `, which leads to ${answer.location}`;
    throw new KibanaError(
      'ERR_KIBANA_UNREACHABLE',
      `${connection.base} is no Kibana: /api/status answered ${status}${where}. Give its whole address, with the base path if it has one.`,
      { status },
    );
  }
  const level = told?.overall?.level;
  if (level === 'available' || level === 'degraded') return { version: version.number };
  return { reason: `is ${String(level)}` };
}

/** What `GET /api/status` answers, as far as it matters here. */
interface StatusBody {
  readonly version?: { readonly number?: unknown };
  readonly status?: { readonly overall?: { readonly level?: unknown } };
}

function supported(connection: Connection, version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (!isOld) return version;
  throw new KibanaError(
    'ERR_KIBANA_VERSION',
    `${connection.base} is Kibana ${version}: the dashboards need ${OLDEST.join('.')} or later`,
  );
}
