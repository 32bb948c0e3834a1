import { Client } from '@elastic/elasticsearch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { savedObjects } from '../../../packages/kibana/src/saved-objects.js';
import { decodedDashboards, lensPanels, shownColumns } from '../../../packages/kibana/test/support/decoded.js';
import { parseKql } from '../../../packages/kibana/test/support/kql.js';
import { elasticsearchUrl } from '../../services/urls.js';
import { elasticsearchFigures, toQuery } from './elasticsearch-figures.js';
import type { Figures } from './figures.js';
import { agrees, matches, plainFigures, valueAt } from './plain-figures.js';
import { runWorkload } from './workload.js';
import type { Workload } from './workload.js';

const run = `kibana-${process.pid}-${Date.now()}`;
const INDEX = 'logs-proxy_manager.exchange-*';
const panels = lensPanels();
let client: Client;
let workload: Workload;

beforeAll(async () => {
  client = new Client({ node: elasticsearchUrl() });
  workload = await runWorkload(elasticsearchUrl(), run);
  await client.indices.refresh({ index: INDEX });
});

afterAll(() => client.close());

it('has every document of the workload in Elasticsearch', async () => {
  const { count } = await client.count({ index: INDEX, query: { term: { 'labels.run': run } } });
  expect(count).toBe(workload.documents.length);
  expect(count).toBeGreaterThan(80);
});

it.each(panels)('$name shows the figures of a plain computation', async (panel) => {
  const plain = plainFigures(workload.documents, panel);
  const told = await elasticsearchFigures(client, panel, run);
  expect([...told.keys()].toSorted()).toEqual([...plain.keys()].toSorted());
  for (const [path, values] of plain) {
    for (const [id, value] of Object.entries(values)) {
      const answer = told.get(path)?.[id];
      expect(agrees(answer, value, panel.layer.columns[id]), `${path}: ${id} is ${answer}, not ${String(value)}`).toBe(
        true,
      );
    }
  }
});

it.each(panels)('$name has rows, and a value somewhere in each of its columns', async (panel) => {
  const figures = await elasticsearchFigures(client, panel, run);
  expect(figures.size).toBeGreaterThan(0);
  const empty = shownColumns(panel).filter(
    (id) => !panel.layer.columns[id]?.isBucketed && [...figures.values()].every((values) => values[id] === null),
  );
  expect(empty).toEqual([]);
});

/** By a column of their own, with no further buckets below them. */
const ranked = panels.flatMap((panel) => {
  const [first, second] = Object.values(panel.layer.columns);
  const { columnId: by } = (first?.params?.['orderBy'] ?? {}) as { readonly columnId?: string };
  if (by === undefined || second?.isBucketed === true) return [];
  return [{ name: panel.name, panel, by, sign: first?.params?.['orderDirection'] === 'asc' ? 1 : -1 }];
});

it.each(ranked)('$name ranks its terms by $by', async ({ panel, by, sign }) => {
  const values = [...(await elasticsearchFigures(client, panel, run)).values()].map((row) => Number(row[by]));
  expect(values).toEqual(values.toSorted((a, b) => sign * (a - b)));
});

async function figure(name: string, id = 'value'): Promise<number | string | null | undefined> {
  const panel = panels.find((candidate) => candidate.name === `proxy-manager-${name}`);
  if (panel === undefined) throw new Error(`no panel ${name}`);
  const figures: Figures = await elasticsearchFigures(client, panel, run);
  return figures.get('')?.[id];
}

it('tells what the caller saw and what the API counted', async () => {
  const { sends, arrived } = workload;
  expect(await figure('overview/requests')).toBe(sends.all);
  expect(await figure('overview/success')).toBeCloseTo(sends.good / sends.all);
  expect(await figure('overview/saved')).toBe(sends.hits);
  expect(await figure('overview/saved', 'second')).toBe(sends.bytesFromCache);
  expect(await figure('overview/hit-ratio')).toBeCloseTo(sends.hits / sends.askedCache);
  expect(await figure('credentials/refused')).toBe(sends.exhausted);
  const refusedByProxy = await figure('proxies/dead');
  const attempts = await attemptsTold();
  expect(attempts).toBe(arrived + Number(refusedByProxy));
});

/** Attempts on the network, as the failures' chart by number of attempt sums them up. */
async function attemptsTold(): Promise<number> {
  const panel = panels.find(({ name }) => name === 'proxy-manager-failures/attempts');
  if (panel === undefined) throw new Error('no such panel');
  const figures: Figures = await elasticsearchFigures(client, panel, run);
  return [...figures.values()].reduce((sum, { good, failed }) => sum + Number(good) + Number(failed), 0);
}

it('lists by the saved searches what they promise, with something in every column', async () => {
  for (const { id, type, attributes } of savedObjects()) {
    if (type !== 'search') continue;
    const { searchSourceJSON } = attributes['kibanaSavedObjectMeta'] as { readonly searchSourceJSON: string };
    const { query } = JSON.parse(searchSourceJSON) as { readonly query: { readonly query: string } };
    const filter = [{ term: { 'labels.run': run } }, toQuery(parseKql(query.query))];
    const { count } = await client.count({ index: INDEX, query: { bool: { filter } } });
    const expected = workload.documents.filter((document) => matches(document, parseKql(query.query)));
    expect(count, id).toBe(expected.length);
    const columns = attributes['columns'] as readonly string[];
    const empty = columns.filter((column) => expected.every((document) => valueAt(document, column) === undefined));
    expect(empty, id).toEqual([]);
  }
});

it('offers in every control what there is', async () => {
  const fields = decodedDashboards().flatMap(({ controls }) =>
    Object.values(controls).map(({ explicitInput }) => explicitInput.fieldName),
  );
  for (const field of new Set(fields)) {
    const { aggregations = {} } = await client.search({
      index: INDEX,
      size: 0,
      query: { term: { 'labels.run': run } },
      aggs: { values: { terms: { field, size: 100 } } },
    });
    const { buckets } = aggregations['values'] as { readonly buckets: readonly { readonly key: string }[] };
    const values = new Set(
      workload.documents.flatMap((document) => (valueAt(document, field) as string | undefined) ?? []),
    );
    expect(buckets.map(({ key }) => key).toSorted(), field).toEqual([...values].toSorted());
    expect(buckets.length, field).toBeGreaterThan(1);
  }
});
