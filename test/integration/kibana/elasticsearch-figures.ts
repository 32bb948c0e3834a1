import type { Client, estypes } from '@elastic/elasticsearch';
import type { Column } from '../../../packages/kibana/src/lens/column.js';
import { RECORDS } from '../../../packages/kibana/src/lens/column.js';
import type { LensPanel } from '../../../packages/kibana/test/support/decoded.js';
import type { Query } from '../../../packages/kibana/test/support/kql.js';
import { parseKql } from '../../../packages/kibana/test/support/kql.js';
import { BAR_MS, MISSING, pathOf } from './figures.js';
import type { Figures } from './figures.js';

type Aggregations = Record<string, estypes.AggregationsAggregationContainer>;
type Values = Record<string, number | string | null>;

const INDEX = 'logs-proxy_manager.exchange-*';

const RANGES = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const;

/** The query that Kibana would make of a KQL text. */
export function toQuery(query: Query): estypes.QueryDslQueryContainer {
  if (query.kind === 'and') return { bool: { filter: query.parts.map(toQuery) } };
  if (query.kind === 'or') return { bool: { should: query.parts.map(toQuery), minimum_should_match: 1 } };
  if (query.kind === 'not') return { bool: { must_not: toQuery(query.part) } };
  if (query.kind === 'exists') return { exists: { field: query.field } };
  if (query.kind === 'is') return { match: { [query.field]: query.value } };
  if (query.kind === 'all') return { match_all: {} };
  return { range: { [query.field]: { [RANGES[query.operator]]: query.bound } } };
}

/** What Elasticsearch answers to a panel's query, over the documents of one run. */
export async function elasticsearchFigures(client: Client, panel: LensPanel, run: string): Promise<Figures> {
  const { columns, columnOrder } = panel.layer;
  const buckets = columnOrder.filter((id) => columns[id]?.isBucketed);
  const found = await client.search({
    index: INDEX,
    size: 0,
    query: {
      bool: {
        filter: [
          { term: { 'labels.run': run } },
          { range: { '@timestamp': { gte: 'now-24h', lte: 'now+1m' } } },
          toQuery(parseKql(panel.where)),
        ],
      },
    },
    aggs: nest(panel, buckets),
  });
  const figures = new Map<string, Values>();
  collect(panel, buckets, found.aggregations as Answer, [], figures);
  return figures;
}

function nest(panel: LensPanel, buckets: readonly string[]): Aggregations {
  const [first, ...others] = buckets;
  const metrics = metricAggregations(panel);
  if (first === undefined) return metrics;
  const column = panel.layer.columns[first];
  if (column === undefined) throw new Error(first);
  // Terms are ranked by a metric of their own level.
  const aggs = { ...metrics, ...(others.length > 0 && nest(panel, others)) };
  return { [first]: { ...bucketAggregation(panel, column), aggs } };
}

function bucketAggregation(panel: LensPanel, column: Column): estypes.AggregationsAggregationContainer {
  const field = String(column.sourceField);
  if (column.operationType === 'date_histogram') {
    return { date_histogram: { field, fixed_interval: `${BAR_MS}ms`, min_doc_count: 1 } };
  }
  const { size, orderBy, orderDirection, missingBucket } = column.params as {
    readonly missingBucket: boolean;
    readonly size: number;
    readonly orderBy: { readonly type: string; readonly columnId?: string };
    readonly orderDirection: 'asc' | 'desc';
  };
  const by = orderBy.type === 'alphabetical' ? '_key' : sortPath(panel, String(orderBy.columnId));
  return { terms: { field, size, order: { [by]: orderDirection }, ...(missingBucket && { missing: MISSING }) } };
}

function sortPath(panel: LensPanel, id: string): string {
  const column = panel.layer.columns[id];
  const metric = column?.operationType === 'percentile' ? `metric.${String(column.params?.['percentile'])}` : 'metric';
  return column?.operationType === 'count' ? id : `${id}>${metric}`;
}

/** Each under its column's filter, so that all are asked for and read alike. */
function metricAggregations({ layer: { columns } }: LensPanel): Aggregations {
  const aggregations: Aggregations = {};
  for (const [id, column] of Object.entries(columns)) {
    if (column.isBucketed || column.sourceField === undefined) continue;
    aggregations[id] = {
      filter: toQuery(parseKql(column.filter?.query ?? '')),
      ...(column.sourceField !== RECORDS && { aggs: { metric: metricAggregation(column, column.sourceField) } }),
    };
  }
  return aggregations;
}

function metricAggregation(column: Column, field: string): estypes.AggregationsAggregationContainer {
  switch (column.operationType) {
    case 'sum':
      return { sum: { field } };
    case 'min':
      return { min: { field } };
    case 'max':
      return { max: { field } };
    case 'unique_count':
      return { cardinality: { field } };
    case 'percentile':
      return { percentiles: { field, percents: [Number(column.params?.['percentile'])], keyed: true } };
    case 'last_value':
      return {
        top_hits: {
          size: 1,
          _source: false,
          fields: [field],
          // Two in one millisecond: the id tells which one was later.
          sort: [{ '@timestamp': { order: 'desc' } }, { 'event.id': { order: 'desc' } }],
        },
      };
    default:
      throw new Error(`no aggregation for ${column.operationType}`);
  }
}

type Answer = Readonly<Record<string, unknown>>;

type Bucket = Answer & { readonly key: number | string };

interface Filtered {
  readonly doc_count: number;
  readonly metric?: {
    readonly value?: number | null;
    readonly values?: Readonly<Record<string, number | null>>;
    readonly hits?: {
      readonly hits: readonly { readonly fields?: Readonly<Record<string, readonly (number | string)[]>> }[];
    };
  };
}

function collect(
  panel: LensPanel,
  buckets: readonly string[],
  answer: Answer,
  keys: readonly unknown[],
  into: Map<string, Values>,
): void {
  const [first, ...others] = buckets;
  if (first !== undefined) {
    for (const bucket of (answer[first] as { readonly buckets: readonly Bucket[] }).buckets) {
      collect(panel, others, bucket, [...keys, bucket.key], into);
    }
    return;
  }
  const values: Values = {};
  const { columns } = panel.layer;
  for (const [id, column] of Object.entries(columns)) {
    if (!column.isBucketed && column.sourceField !== undefined) values[id] = valueOf(column, answer[id] as Filtered);
  }
  for (const [id, column] of Object.entries(columns)) {
    if (column.operationType === 'math') values[id] = compute(column.params?.['tinymathAst'], values);
  }
  for (const [id, column] of Object.entries(columns)) {
    if (column.operationType === 'formula') values[id] = values[String(column.references?.[0])] ?? null;
  }
  into.set(pathOf(keys), values);
}

function valueOf(column: Column, { doc_count: count, metric }: Filtered): number | string | null {
  if (metric === undefined) return count;
  if (metric.values !== undefined) return Object.values(metric.values)[0] ?? null;
  if (metric.hits !== undefined) return metric.hits.hits[0]?.fields?.[String(column.sourceField)]?.[0] ?? null;
  return metric.value ?? null;
}

/** A formula's tree, computed over its helper columns as Kibana below 9.2 does. */
function compute(ast: unknown, values: Values): number | null {
  if (typeof ast === 'string') {
    const value = values[ast];
    return typeof value === 'number' ? value : null;
  }
  const { name, args } = ast as { readonly name: string; readonly args: readonly unknown[] };
  const [left, right] = args.map((arg) => compute(arg, values));
  if (typeof left !== 'number' || typeof right !== 'number') return null;
  if (name === 'add') return left + right;
  return right === 0 ? null : left / right;
}
