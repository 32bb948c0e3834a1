import type { Finding } from './check.js';
import { connect } from './connection.js';
import type { Connection, ConnectionOptions } from './connection.js';
import { ask } from './http.js';
import type { Answer } from './http.js';
import { KibanaError } from './kibana-error.js';
import { said } from './said.js';
import { usedFields } from './used-fields.js';

const INDICES = 'logs-proxy_manager.exchange-*';
const TEMPLATES = ['_index_template/logs-proxy_manager.exchange', '_component_template/proxy_manager@mappings'];
const INSTALL = 'start proxy-manager once with `elasticsearch` set and `installAssets` not false';

/** Templates, fields and data, each a finding. */
export async function checkElasticsearch(options: ConnectionOptions): Promise<Finding[]> {
  const connection = connect(options);
  const findings: Finding[] = [];
  for (const path of TEMPLATES) findings.push(await template(connection, path));
  const fields = await mapped(connection);
  if (fields.size === 0) {
    return [
      ...findings,
      { ok: false, text: `no data stream ${INDICES} yet: nothing was logged to this Elasticsearch` },
    ];
  }
  const missing = usedFields().filter((field) => !fields.has(field));
  findings.push(
    missing.length === 0
      ? { ok: true, text: `all ${usedFields().length} fields of the dashboards are mapped` }
      : {
          ok: false,
          text: `not mapped in ${INDICES}: ${missing.join(', ')}. Update proxy-manager, then roll the data stream over.`,
        },
  );
  findings.push(await data(connection));
  return findings;
}

async function template(connection: Connection, path: string): Promise<Finding> {
  const answer = await ask(connection, { method: 'GET', path: `/${path}` });
  if (answer.status === 404) return { ok: false, text: `template ${path} is missing: ${INSTALL}` };
  expectOk(connection, answer);
  return { ok: true, text: `template ${path} is there` };
}

/** The names of all mapped fields; none without an index. */
async function mapped(connection: Connection): Promise<ReadonlySet<string>> {
  const answer = await ask(connection, { method: 'GET', path: `/${INDICES}/_field_caps?fields=*&filters=-parent` });
  if (answer.status === 404) return new Set();
  expectOk(connection, answer);
  const { indices, fields } = answer.json as { readonly indices: readonly string[]; readonly fields: object };
  return indices.length === 0 ? new Set() : new Set(Object.keys(fields));
}

async function data(connection: Connection): Promise<Finding> {
  const body = { size: 0, track_total_hits: true, aggs: { newest: { max: { field: '@timestamp' } } } };
  const answer = await ask(connection, {
    method: 'POST',
    path: `/${INDICES}/_search`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expectOk(connection, answer);
  const { hits, aggregations } = answer.json as {
    readonly hits: { readonly total: { readonly value: number } };
    readonly aggregations: { readonly newest: { readonly value: number | null } };
  };
  const { value: newest } = aggregations.newest;
  if (newest === null)
    return { ok: false, text: `${INDICES} is empty: nothing was logged, or it is too old to be kept` };
  return {
    ok: true,
    text: `${hits.total.value} exchanges are logged, the newest at ${new Date(newest).toISOString()}`,
  };
}

function expectOk(connection: Connection, answer: Answer): void {
  const { status } = answer;
  if (status === 200) return;
  const words =
    status === 401 || status === 403
      ? 'refused: this login needs to read index templates, and the log'
      : 'gave an answer that no Elasticsearch gives';
  throw new KibanaError('ERR_KIBANA_REFUSED', `${connection.base} ${words} (${status}: ${said(answer)})`, { status });
}
