import type { Connection } from './connection.js';
import { ask } from './http.js';
import { KibanaError } from './kibana-error.js';

/** What stands between the address of Kibana and that of an API in a space. */
export function spacePath(space: string): string {
  return space === 'default' ? '' : `/s/${encodeURIComponent(space)}`;
}

/**
 * Kibana takes things into a space that does not exist, where nobody would find them.
 *
 * @throws {KibanaError} `ERR_KIBANA_REFUSED`: there is no such space.
 */
export async function findSpace(connection: Connection, space: string): Promise<void> {
  if (space === 'default') return;
  const { status } = await ask(connection, { method: 'GET', path: `/api/spaces/space/${encodeURIComponent(space)}` });
  if (status !== 404) return;
  const message = `${connection.base} has no space "${space}", or this login may not see it`;
  throw new KibanaError('ERR_KIBANA_REFUSED', message, { status });
}
