import { DATA_VIEW_ID } from '../content/data-view.js';
import { ATTEMPT, PROXIED, SUCCESS, all } from '../content/queries.js';

/** An alert rule as `POST /api/alerting/rule/<id>` takes it. It has no actions: whom to tell is the user's to add. */
export interface Rule {
  /** Kibana takes no other ids for what it keeps encrypted than UUIDs. */
  readonly id: string;
  readonly name: string;
  readonly rule_type_id: string;
  readonly consumer: 'logs' | 'stackAlerts';
  readonly schedule: { readonly interval: string };
  readonly params: Readonly<Record<string, unknown>>;
}

/** What a threshold rule computes of each group of documents, and when it is too much or too little. */
export interface Criterion {
  readonly metrics: readonly {
    readonly name: string;
    readonly aggType: 'count' | 'max';
    readonly field?: string;
    readonly filter?: string;
  }[];
  readonly equation?: string;
  readonly comparator: '<' | '>';
  readonly threshold: readonly [number];
  readonly timeSize: number;
  readonly timeUnit: 'm';
}

const TAGGED = '[Proxy Manager]';
const LIMIT = 'proxy_manager.rate_limit';
const WINDOW = { timeSize: 15, timeUnit: 'm' } as const;

/** Fewer attempts than this say nothing about a proxy. */
const ENOUGH_ATTEMPTS = 10;

/** The three rules; `quietMinutes` without a document are too many. */
export function rules(quietMinutes: number): readonly Rule[] {
  return [
    threshold({
      id: '6f3a1c52-0b0e-4d7a-9a5e-2f4d1f6b7c01',
      name: 'A credential is over 80 % of its limit',
      where: all(ATTEMPT, 'proxy_manager.credential.id: *'),
      groupBy: 'proxy_manager.credential.id',
      criteria: [
        {
          metrics: [
            { name: 'A', aggType: 'max', field: `${LIMIT}.used` },
            { name: 'B', aggType: 'max', field: `${LIMIT}.limit` },
          ],
          equation: 'A / B',
          comparator: '>',
          threshold: [0.8],
          ...WINDOW,
        },
      ],
    }),
    threshold({
      id: '6f3a1c52-0b0e-4d7a-9a5e-2f4d1f6b7c02',
      name: 'Less than half of the attempts through a proxy succeed',
      where: PROXIED,
      groupBy: 'proxy_manager.proxy.id',
      criteria: [
        {
          metrics: [
            { name: 'A', aggType: 'count', filter: SUCCESS },
            { name: 'B', aggType: 'count' },
          ],
          equation: 'A / B',
          comparator: '<',
          threshold: [0.5],
          ...WINDOW,
        },
        // All criteria must hold.
        { metrics: [{ name: 'A', aggType: 'count' }], comparator: '>', threshold: [ENOUGH_ATTEMPTS - 1], ...WINDOW },
      ],
    }),
    {
      id: '6f3a1c52-0b0e-4d7a-9a5e-2f4d1f6b7c03',
      name: `${TAGGED} Nothing is logged`,
      rule_type_id: '.es-query',
      consumer: 'stackAlerts',
      schedule: { interval: '1m' },
      params: {
        searchType: 'esQuery',
        index: ['logs-proxy_manager.exchange-*'],
        timeField: '@timestamp',
        esQuery: JSON.stringify({ query: { match_all: {} } }),
        size: 0,
        aggType: 'count',
        groupBy: 'all',
        thresholdComparator: '<',
        threshold: [1],
        timeWindowSize: quietMinutes,
        timeWindowUnit: 'm',
        excludeHitsFromPreviousRun: false,
      },
    },
  ];
}

interface Threshold {
  readonly id: string;
  readonly name: string;
  readonly where: string;
  readonly groupBy: string;
  readonly criteria: readonly Criterion[];
}

function threshold({ id, name, where, groupBy, criteria }: Threshold): Rule {
  return {
    id,
    name: `${TAGGED} ${name}`,
    rule_type_id: 'observability.rules.custom_threshold',
    consumer: 'logs',
    schedule: { interval: '1m' },
    params: {
      criteria,
      groupBy: [groupBy],
      alertOnNoData: false,
      // A credential or proxy that is used no more is no trouble.
      alertOnGroupDisappear: false,
      searchConfiguration: { index: DATA_VIEW_ID, query: { query: where, language: 'kuery' } },
    },
  };
}
