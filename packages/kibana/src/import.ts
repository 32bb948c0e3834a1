import { randomUUID } from 'node:crypto';
import { connect } from './connection.js';
import type { ConnectionOptions } from './connection.js';
import { ask } from './http.js';
import { readImportAnswer } from './import-answer.js';
import { ndjson } from './ndjson.js';
import { findSpace, spacePath } from './space.js';
import { waitForKibana } from './wait.js';
import type { WaitOptions } from './wait.js';

export interface ImportOptions extends ConnectionOptions, WaitOptions {
  /** The id of the space. @default the default space */
  readonly space?: string;
  /** Replace what an earlier import made. @default true */
  readonly overwrite?: boolean;
}

export interface ImportResult {
  readonly kibanaVersion: string;
  /** How many objects were imported. */
  readonly count: number;
  /** Where the first dashboard is. */
  readonly url: string;
  /** What may not work as it should, in words. */
  readonly warnings: readonly string[];
}

/** The newest major that the objects' versions are meant for. */
const NEWEST_MAJOR = 9;

/**
 * Waits for Kibana, then imports the data view, the saved searches and the dashboards. It may run again and again: every
 * object has its fixed id.
 *
 * @throws {KibanaError} nothing was imported; the message says why, and what to do.
 * @example
 * ```ts
 * import { importDashboards } from '@proxy-manager/kibana'
 *
 * const { url } = await importDashboards({ url: 'http://localhost:5601', onWait: (reason) => console.log('Kibana', reason) })
 * console.log('Dashboards:', url)
 * ```
 */
export async function importDashboards(options: ImportOptions): Promise<ImportResult> {
  const { space = 'default', overwrite = true } = options;
  const connection = connect(options);
  const kibanaVersion = await waitForKibana(connection, options);
  await findSpace(connection, space);
  const prefix = spacePath(space);
  const { body, type } = multipart(ndjson());
  const answer = await ask(connection, {
    method: 'POST',
    path: `${prefix}/api/saved_objects/_import?overwrite=${overwrite}`,
    headers: { 'content-type': type, 'kbn-xsrf': 'true' },
    body,
  });
  const { count, renamed } = readImportAnswer(answer, `${connection.base}${prefix}`, body.length);
  const first = 'proxy-manager-overview';
  return {
    kibanaVersion,
    count,
    url: `${connection.base}${prefix}/app/dashboards#/view/${renamed.get(first) ?? first}`,
    warnings: warningsFor(kibanaVersion),
  };
}

function warningsFor(version: string): string[] {
  if (Number.parseInt(version, 10) <= NEWEST_MAJOR) return [];
  return [`Kibana ${version} is newer than these dashboards know: look for a newer @proxy-manager/kibana`];
}

function multipart(text: string): { readonly body: Buffer; readonly type: string } {
  const boundary = `proxy-manager-${randomUUID()}`;
  const head = [
    `--${boundary}`,
    // Kibana goes by the ending of the name.
    'content-disposition: form-data; name="file"; filename="proxy-manager.ndjson"',
    'content-type: application/ndjson',
  ];
  const body = Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}\r\n--${boundary}--\r\n`);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}
