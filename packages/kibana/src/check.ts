import { checkElasticsearch } from './check-elasticsearch.js';
import { checkKibana } from './check-kibana.js';
import type { ConnectionOptions } from './connection.js';

/** One thing that was looked at. */
export interface Finding {
  readonly ok: boolean;
  /** What was found, in words; where it is not ok also what to do. */
  readonly text: string;
}

export interface CheckOptions {
  /** Where the log is: its templates, their fields, and whether there is data. */
  readonly elasticsearch?: ConnectionOptions;
  /** Where the dashboards are: whether all of them are there. */
  readonly kibana?: ConnectionOptions & { readonly space?: string };
}

/**
 * Looks whether everything is there that the dashboards need; changes nothing.
 *
 * @throws {KibanaError} an option is wrong, a server cannot be reached, or it refuses the login.
 * @example
 * ```ts
 * import { check } from '@proxy-manager/kibana'
 *
 * for (const { ok, text } of await check({ elasticsearch: { url: 'http://localhost:9200' } })) console.log(ok, text)
 * ```
 */
export async function check({ elasticsearch, kibana }: CheckOptions): Promise<readonly Finding[]> {
  return [
    ...(elasticsearch === undefined ? [] : await checkElasticsearch(elasticsearch)),
    ...(kibana === undefined ? [] : await checkKibana(kibana)),
  ];
}
