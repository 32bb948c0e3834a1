import type { Finding } from './check.js';
import { connect } from './connection.js';
import type { ConnectionOptions } from './connection.js';
import { ask } from './http.js';
import { KibanaError } from './kibana-error.js';
import { said } from './said.js';
import { savedObjects } from './saved-objects.js';
import { spacePath } from './space.js';
import { waitForKibana } from './wait.js';

/** Whether Kibana is new enough, and every object is in its space. */
export async function checkKibana(options: ConnectionOptions & { readonly space?: string }): Promise<Finding[]> {
  const { space = 'default' } = options;
  const connection = connect(options);
  const version = await waitForKibana(connection, { waitMs: 0 });
  const objects = savedObjects().map(({ type, id }) => ({ type, id }));
  const answer = await ask(connection, {
    method: 'POST',
    path: `${spacePath(space)}/api/saved_objects/_export`,
    headers: { 'content-type': 'application/json', 'kbn-xsrf': 'true' },
    body: JSON.stringify({ objects, excludeExportDetails: true }),
  });
  const found = { ok: true, text: `Kibana ${version} is ready` };
  if (answer.status === 200) return [found, { ok: true, text: `all ${objects.length} saved objects are there` }];
  const { attributes } = (answer.json ?? {}) as ExportRefusal;
  if (answer.status !== 400 || attributes?.objects === undefined) {
    const { status } = answer;
    throw new KibanaError('ERR_KIBANA_REFUSED', `${connection.base} did not export (${status}: ${said(answer)})`, {
      status,
    });
  }
  const missing = attributes.objects.map(({ type, id }) => `${type} ${id}`);
  return [
    found,
    {
      ok: false,
      text: `not in space "${space}", or not for this login: ${missing.join(', ')}. Run \`npx @proxy-manager/kibana import\`.`,
    },
  ];
}

/** What `_export` answers with 400 where it does not find what it is asked for. */
interface ExportRefusal {
  readonly attributes?: { readonly objects?: readonly { readonly type: string; readonly id: string }[] };
}
