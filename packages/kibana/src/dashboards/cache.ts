import { CACHE_COLORS, COUNT_COLOR, TIME_COLORS, TRAFFIC_COLORS } from '../content/colors.js';
import { ASKED_CACHE, ATTEMPT, REQUEST_ID, SAVED, all } from '../content/queries.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { TIMELINE, terms } from '../lens/bucket.js';
import { BYTES, PERCENT, count, percentile, sum, unique } from '../lens/column.js';
import type { Column } from '../lens/column.js';
import { formula, over, uniqueOf } from '../lens/formula.js';
import { metricChart } from '../lens/metric-chart.js';
import { table } from '../lens/table.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

const AGE = 'proxy_manager.cache.age_ms';
const STALE = 'proxy_manager.cache.status: "stale"';
const MISS = all(ATTEMPT, 'proxy_manager.cache.status: "miss"');
const HIT_RATIO = over(uniqueOf(REQUEST_ID, SAVED), uniqueOf(REQUEST_ID, ASKED_CACHE));

function ofStatus(status: keyof typeof CACHE_COLORS): Column {
  return unique(REQUEST_ID, status, { where: `proxy_manager.cache.status: "${status}"` });
}

/** Is the cache earning its keep? */
export const CACHE: SavedObject = dashboard({
  id: 'proxy-manager-cache',
  title: 'Cache',
  description: 'Is the cache earning its keep, and what does it miss?',
  whenEmpty: whenEmpty('The cache is used by requests with `cache: true`, or a cache policy.'),
  rows: [
    {
      height: 6,
      panels: [
        lensPanel({
          id: 'hit-ratio',
          title: 'Cache hit ratio',
          description: 'Requests that the cache answered, of those that asked it.',
          width: 12,
          chart: metricChart({
            columns: formula('value', 'Cache hit ratio', HIT_RATIO, PERCENT),
            subtitle: 'of requests that asked the cache',
          }),
        }),
        lensPanel({
          id: 'saved',
          title: 'Requests saved',
          description: 'Requests that cost no quota and no network.',
          width: 12,
          chart: metricChart({
            columns: { value: count('Requests saved', SAVED), second: count('Misses', MISS) },
            subtitle: 'no quota spent, nothing sent',
            secondPrefix: 'fetched after a miss',
          }),
        }),
        lensPanel({
          id: 'bytes-saved',
          title: 'Bytes saved',
          description: 'The bodies that the cache gave, after decoding: the network would have carried about as much.',
          width: 12,
          chart: metricChart({
            columns: { value: sum('http.response.body.bytes', 'Bytes saved', { where: SAVED, format: BYTES }) },
            subtitle: 'bodies that were not fetched again',
          }),
        }),
        lensPanel({
          id: 'stale',
          title: 'Served stale',
          description:
            'Replies past their time that were served all the same: while fetched anew, or since the origin failed.',
          width: 12,
          chart: metricChart({
            columns: {
              value: count('Served stale', STALE),
              second: percentile(AGE, 50, 'Median age', { where: SAVED }),
            },
            subtitle: 'past their time, served all the same',
            secondPrefix: 'median age of all served',
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'status',
          title: 'Cache status over time',
          description: 'How the cache answered each request; bypass did not ask it.',
          width: 28,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_stacked',
            columns: {
              time: TIMELINE,
              hit: ofStatus('hit'),
              revalidated: ofStatus('revalidated'),
              stale: ofStatus('stale'),
              miss: ofStatus('miss'),
              bypass: ofStatus('bypass'),
            },
            x: 'time',
            y: ['hit', 'revalidated', 'stale', 'miss', 'bypass'],
            yTitle: 'requests',
            colors: CACHE_COLORS,
          }),
        }),
        lensPanel({
          id: 'ratio',
          title: 'Hit ratio over time',
          description: 'Requests that the cache answered, of those that asked it.',
          width: 20,
          where: ASKED_CACHE,
          chart: xy({
            shape: 'line',
            columns: { time: TIMELINE, ...formula('ratio', 'hit ratio', HIT_RATIO, PERCENT) },
            x: 'time',
            y: ['ratio'],
            yTitle: 'hit ratio',
            colors: { ratio: CACHE_COLORS.hit },
            isShare: true,
            fitting: 'Linear',
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'bytes',
          title: 'Bytes saved over time',
          description: 'Bodies from the cache, and bodies that were fetched.',
          width: 16,
          chart: xy({
            shape: 'bar_stacked',
            columns: {
              time: TIMELINE,
              saved: sum('http.response.body.bytes', 'from cache', { where: SAVED, format: BYTES }),
              received: sum('http.response.body.bytes', 'fetched', { where: ATTEMPT, format: BYTES }),
            },
            x: 'time',
            y: ['saved', 'received'],
            yTitle: 'bytes',
            colors: { saved: TRAFFIC_COLORS.saved, received: TRAFFIC_COLORS.received },
          }),
        }),
        lensPanel({
          id: 'age',
          title: 'Age of what was served',
          description: 'How old replies from the cache were. An age that grows to the time to live is a good sign.',
          width: 16,
          where: SAVED,
          chart: xy({
            shape: 'line',
            columns: {
              time: TIMELINE,
              p50: percentile(AGE, 50, 'p50'),
              p95: percentile(AGE, 95, 'p95'),
            },
            x: 'time',
            y: ['p50', 'p95'],
            yTitle: 'age',
            colors: { p50: TIME_COLORS.p50, p95: TIME_COLORS.p95 },
            fitting: 'Linear',
          }),
        }),
        lensPanel({
          id: 'endpoints',
          title: 'Saved per endpoint',
          description: 'Where the cache saves the most requests.',
          width: 16,
          where: SAVED,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_horizontal',
            columns: {
              endpoint: terms('proxy_manager.endpoint', 'Endpoint', { size: 12, by: 'saved' }),
              saved: count('Requests saved'),
            },
            x: 'endpoint',
            y: ['saved'],
            yTitle: 'requests saved',
            colors: { saved: COUNT_COLOR },
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'missed',
          title: 'Most fetched urls',
          description:
            'Urls that were asked for and not found. One that is fetched again and again is worth a longer time to live. Click it to see the list of its exchanges.',
          width: 48,
          where: MISS,
          leadsTo: ['proxy-manager-exchanges', 'proxy-manager-failures'],
          chart: table({
            columns: {
              url: terms('url.full', 'Url', { size: 50, by: 'misses' }),
              misses: count('Fetched after a miss'),
              p95: percentile('event.duration', 95, 'p95'),
              bytes: sum('http.response.bytes', 'Received', { format: BYTES }),
              failed: count('Failed', 'event.outcome: "failure"'),
            },
            sort: 'misses',
            widths: { url: 720 },
          }),
        }),
      ],
    },
  ],
});
