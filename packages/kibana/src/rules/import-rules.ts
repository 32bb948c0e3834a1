import { connect } from '../connection.js';
import type { Connection, ConnectionOptions } from '../connection.js';
import { ask } from '../http.js';
import type { Answer } from '../http.js';
import { KibanaError } from '../kibana-error.js';
import { said } from '../said.js';
import { findSpace, spacePath } from '../space.js';
import { waitForKibana } from '../wait.js';
import type { WaitOptions } from '../wait.js';
import { rules } from './rules.js';
import type { Rule } from './rules.js';

export interface RulesOptions extends ConnectionOptions, WaitOptions {
  /** The id of the space. @default the default space */
  readonly space?: string;
  /** How many minutes without a logged exchange raise an alert. @default 15 */
  readonly quietMinutes?: number;
}

/** A rule, and whether it was made just now or is there since an earlier time. */
export interface ImportedRule {
  readonly name: string;
  readonly isNew: boolean;
}

/**
 * Makes the three alert rules. They have no actions: add in Kibana whom they tell. A rule that is there already stays as
 * it is, with its actions; delete it to have it made anew.
 *
 * @throws {KibanaError} the first rule that could not be made; the message says why, and what to do.
 * @example
 * ```ts
 * import { importRules } from '@proxy-manager/kibana'
 *
 * console.log(await importRules({ url: 'http://localhost:5601', quietMinutes: 30 }))
 * ```
 */
export async function importRules(options: RulesOptions): Promise<readonly ImportedRule[]> {
  const { space = 'default', quietMinutes = 15 } = options;
  if (!Number.isInteger(quietMinutes) || quietMinutes < 1) {
    throw new KibanaError('ERR_KIBANA_OPTIONS', `quietMinutes: expected a whole number from 1, found ${quietMinutes}`);
  }
  const connection = connect(options);
  await waitForKibana(connection, options);
  await findSpace(connection, space);
  const imported: ImportedRule[] = [];
  for (const rule of rules(quietMinutes)) {
    imported.push({ name: rule.name, isNew: await make(connection, spacePath(space), rule) });
  }
  return imported;
}

async function make(connection: Connection, prefix: string, { id, ...rule }: Rule): Promise<boolean> {
  const answer = await ask(connection, {
    method: 'POST',
    path: `${prefix}/api/alerting/rule/${id}`,
    headers: { 'content-type': 'application/json', 'kbn-xsrf': 'true' },
    body: JSON.stringify({ ...rule, tags: ['proxy-manager'], actions: [] }),
  });
  const { status } = answer;
  if (status === 200 || status === 409) return status === 200;
  const message = `${rule.name}: ${explain(answer)} (${status}: ${said(answer)})`;
  throw new KibanaError('ERR_KIBANA_REFUSED', message, { status });
}

function explain(answer: Answer): string {
  if (said(answer).includes('encrypt'))
    return 'Kibana keeps no rules without xpack.encryptedSavedObjects.encryptionKey in kibana.yml';
  if (answer.status === 401)
    return 'Kibana refused the login: give --api-key, or --username and --password that it takes';
  if (answer.status === 403)
    return 'the login may not make rules: it needs the privileges "all" on Logs and on Stack Rules';
  return 'Kibana did not take the rule';
}
