import { SHARE_OF_SUCCESS, STATUS_COLORS, TIME_COLORS } from '../content/colors.js';
import { ASKED_CACHE, ATTEMPT, FAILURE, REQUEST_ID, RETRY, SAVED, SUCCESS } from '../content/queries.js';
import { STATUS_IDS, STATUS_SERIES } from '../content/status-series.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { TIMELINE, terms } from '../lens/bucket.js';
import { BYTES, PERCENT, count, last, percentile, sum, unique } from '../lens/column.js';
import { formula, over, uniqueOf } from '../lens/formula.js';
import { metricChart } from '../lens/metric-chart.js';
import { table } from '../lens/table.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

const OF_REQUESTS = over(uniqueOf(REQUEST_ID, SUCCESS), uniqueOf(REQUEST_ID, ''));
const HIT_RATIO = over(uniqueOf(REQUEST_ID, SAVED), uniqueOf(REQUEST_ID, ASKED_CACHE));

/** Is it working, and what does it cost? */
export const OVERVIEW: SavedObject = dashboard({
  id: 'proxy-manager-overview',
  title: 'Overview',
  description: 'Is it working, and what does it cost?',
  whenEmpty: whenEmpty('Requests appear here within seconds when `elasticsearch` is set in the ProxyManager options.'),
  rows: [
    {
      height: 6,
      panels: [
        lensPanel({
          id: 'requests',
          title: 'Requests',
          description: 'Every send counts once, however often it was tried, and also where the cache answered.',
          width: 8,
          chart: metricChart({
            columns: { value: unique(REQUEST_ID, 'Requests'), second: count('Retries', RETRY) },
            subtitle: 'sends, from cache or network',
            secondPrefix: 'retries',
          }),
        }),
        lensPanel({
          id: 'success',
          title: 'Success',
          description: 'Requests that ended well, after retries: no error, a status below 400, the verdict good.',
          width: 8,
          chart: metricChart({
            columns: formula('value', 'Success', OF_REQUESTS, PERCENT),
            subtitle: 'of requests, after retries',
            steps: SHARE_OF_SUCCESS,
          }),
        }),
        lensPanel({
          id: 'hit-ratio',
          title: 'Cache hit ratio',
          description: 'Requests that the cache answered, of those that asked it.',
          width: 8,
          chart: metricChart({
            columns: formula('value', 'Cache hit ratio', HIT_RATIO, PERCENT),
            subtitle: 'of requests that asked the cache',
          }),
        }),
        lensPanel({
          id: 'saved',
          title: 'Requests saved',
          description: 'Requests that cost no quota and no network, and the bytes of their replies.',
          width: 8,
          chart: metricChart({
            columns: {
              value: count('Requests saved', SAVED),
              second: sum('http.response.body.bytes', 'Bytes saved', { where: SAVED, format: BYTES }),
            },
            subtitle: 'no quota spent, nothing sent',
            secondPrefix: 'bytes',
          }),
        }),
        lensPanel({
          id: 'median',
          title: 'Median latency',
          description: 'Half of the attempts on the network were faster.',
          width: 8,
          where: ATTEMPT,
          chart: metricChart({
            columns: { value: percentile('event.duration', 50, 'Median latency') },
            subtitle: 'p50 of attempts on the network',
          }),
        }),
        lensPanel({
          id: 'latency',
          title: 'Slow attempts',
          description: 'One in twenty attempts on the network was slower than p95, one in a hundred slower than p99.',
          width: 8,
          where: ATTEMPT,
          chart: metricChart({
            columns: {
              value: percentile('event.duration', 95, 'p95 latency'),
              second: percentile('event.duration', 99, 'p99'),
            },
            subtitle: 'of attempts on the network',
            secondPrefix: 'p99',
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'status',
          title: 'Status over time',
          description: 'Attempts and cached replies by class of status. Click a bar to see the failures of that time.',
          width: 28,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_stacked',
            columns: { time: TIMELINE, ...STATUS_SERIES },
            x: 'time',
            y: STATUS_IDS,
            yTitle: 'exchanges',
            colors: STATUS_COLORS,
          }),
        }),
        lensPanel({
          id: 'percentiles',
          title: 'Latency of attempts',
          description: 'How long attempts on the network took; cached replies are left out, so that they hide nothing.',
          width: 20,
          where: ATTEMPT,
          chart: xy({
            shape: 'line',
            columns: {
              time: TIMELINE,
              p50: percentile('event.duration', 50, 'p50'),
              p95: percentile('event.duration', 95, 'p95'),
              p99: percentile('event.duration', 99, 'p99'),
            },
            x: 'time',
            y: ['p50', 'p95', 'p99'],
            yTitle: 'duration',
            colors: TIME_COLORS,
            fitting: 'Linear',
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'hosts',
          title: 'Top hosts',
          description: 'Where the requests go. Click a host to see its failures, or the list of its exchanges.',
          width: 28,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              host: terms('url.domain', 'Host', { size: 20, by: 'requests' }),
              requests: unique(REQUEST_ID, 'Requests'),
              ...formula('success', 'Success', OF_REQUESTS, PERCENT),
              saved: count('Saved', SAVED),
              p95: percentile('event.duration', 95, 'p95', { where: ATTEMPT }),
              bytes: sum('http.response.bytes', 'Received', { format: BYTES }),
            },
            sort: 'requests',
            colored: { success: SHARE_OF_SUCCESS },
          }),
        }),
        lensPanel({
          id: 'errors',
          title: 'Top errors',
          description: 'Why attempts failed. Click a reason to see its failures, or the list of its exchanges.',
          width: 20,
          where: FAILURE,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              reason: terms('event.reason', 'Reason', { size: 20, by: 'failures' }),
              failures: count('Failures'),
              hosts: unique('url.domain', 'Hosts'),
              seen: last('@timestamp', 'Last seen', 'date'),
            },
            sort: 'failures',
          }),
        }),
      ],
    },
  ],
});
