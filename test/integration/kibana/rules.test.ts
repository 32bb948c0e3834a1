import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { terms } from '../../../packages/kibana/src/lens/bucket.js';
import type { Column } from '../../../packages/kibana/src/lens/column.js';
import { count, max } from '../../../packages/kibana/src/lens/column.js';
import { rules } from '../../../packages/kibana/src/rules/rules.js';
import type { Criterion, Rule } from '../../../packages/kibana/src/rules/rules.js';
import type { LensPanel } from '../../../packages/kibana/test/support/decoded.js';
import { elasticsearchUrl } from '../../services/urls.js';
import { elasticsearchFigures } from './elasticsearch-figures.js';
import { valueAt } from './plain-figures.js';
import { runWorkload } from './workload.js';
import type { Workload } from './workload.js';

const run = `rules-${process.pid}-${Date.now()}`;
let client: Client;
let workload: Workload;

beforeAll(async () => {
  client = new Client({ node: elasticsearchUrl() });
  workload = await runWorkload(elasticsearchUrl(), run);
  await client.indices.refresh({ index: 'logs-proxy_manager.exchange-*' });
});

afterAll(() => client.close());

interface ThresholdParams {
  readonly criteria: readonly Criterion[];
  readonly groupBy: readonly [string];
  readonly searchConfiguration: { readonly query: { readonly query: string } };
}

/** The groups for which all criteria hold, asked for as Kibana does. */
async function alerting({ params }: Rule): Promise<string[]> {
  const { criteria, groupBy, searchConfiguration } = params as unknown as ThresholdParams;
  let left: string[] | undefined;
  for (const { metrics, comparator, threshold } of criteria) {
    const computed = metrics.map(({ name, field, filter }): [string, Column] => [
      name,
      field === undefined ? count(name, filter) : max(field, name),
    ]);
    const columns = { group: terms(groupBy[0], 'Group', { size: 1000, by: 'A' }), ...Object.fromEntries(computed) };
    const layer = { columns, columnOrder: Object.keys(columns) };
    const panel = { layer, where: searchConfiguration.query.query } as unknown as LensPanel;
    const figures = await elasticsearchFigures(client, panel, run);
    const holding = [...figures].flatMap(([group, { A, B = 1 }]) => {
      const value = Number(A) / Number(B);
      return (comparator === '>' ? value > threshold[0] : value < threshold[0]) ? [group] : [];
    });
    left = left === undefined ? holding : left.filter((group) => holding.includes(group));
  }
  return left ?? [];
}

it('alerts of the credentials that are over 80 % of their limit, and of no other', async () => {
  const [rule] = rules(15);
  if (rule === undefined) throw new Error('no rule');
  const spent = new Set<string>();
  for (const document of workload.documents) {
    const share =
      Number(valueAt(document, 'proxy_manager.rate_limit.used')) /
      Number(valueAt(document, 'proxy_manager.rate_limit.limit'));
    const id = valueAt(document, 'proxy_manager.credential.id');
    if (typeof id === 'string' && share > 0.8) spent.add(id);
  }
  expect(spent.size).toBe(2);
  expect((await alerting(rule)).toSorted()).toEqual([...spent].toSorted());
});

it('alerts of no proxy for a few failures', async () => {
  const [, rule] = rules(15);
  if (rule === undefined) throw new Error('no rule');
  expect(await alerting(rule)).toEqual([]);
});
