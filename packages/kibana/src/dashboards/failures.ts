import { COUNT_COLOR, SHARE_OF_FAILURE, VERDICT_COLORS } from '../content/colors.js';
import { ATTEMPT, FAILURE, REFUSED, RETRY, SUCCESS, all } from '../content/queries.js';
import { FAILED_EXCHANGES_ID } from '../content/searches.js';
import { BAD_VERDICTS, VERDICT_SERIES } from '../content/verdict-series.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { searchPanel } from '../dashboard/search-panel.js';
import { TIMELINE, terms } from '../lens/bucket.js';
import { PERCENT, count, last, max, percentile, unique } from '../lens/column.js';
import { countOf, formula, over } from '../lens/formula.js';
import { metricChart } from '../lens/metric-chart.js';
import { table } from '../lens/table.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

/** What is to be fixed? */
export const FAILURES: SavedObject = dashboard({
  id: 'proxy-manager-failures',
  title: 'Failures',
  description: 'What is to be fixed: why do attempts fail, where, and what do retries mend?',
  whenEmpty: whenEmpty('No failure in this time is good news.'),
  rows: [
    {
      height: 6,
      panels: [
        lensPanel({
          id: 'failed',
          title: 'Failed attempts',
          description: 'Attempts that ended with an error, a status of 400 or more, or a verdict other than good.',
          width: 12,
          chart: metricChart({
            columns: { value: count('Failed attempts', all(ATTEMPT, FAILURE)), second: count('Refused', REFUSED) },
            subtitle: 'each try counts',
            secondPrefix: 'refused before sending',
          }),
        }),
        lensPanel({
          id: 'ratio',
          title: 'Failure ratio',
          description: 'Failed attempts, of all attempts on the network.',
          width: 12,
          where: ATTEMPT,
          chart: metricChart({
            columns: formula('value', 'Failure ratio', over(countOf(FAILURE), countOf('')), PERCENT),
            subtitle: 'of attempts on the network',
            steps: SHARE_OF_FAILURE,
          }),
        }),
        lensPanel({
          id: 'mended',
          title: 'Mended by a retry',
          description: 'Requests that failed at first and succeeded with another attempt.',
          width: 12,
          chart: metricChart({
            columns: { value: count('Mended by a retry', all(RETRY, SUCCESS)), second: count('Retries', RETRY) },
            subtitle: 'requests that succeeded later',
            secondPrefix: 'retries',
          }),
        }),
        lensPanel({
          id: 'where',
          title: 'Hosts with failures',
          description: 'Different hosts, credentials and proxies that failures were seen with.',
          width: 12,
          where: FAILURE,
          chart: metricChart({
            columns: {
              value: unique('url.domain', 'Hosts with failures'),
              second: unique('proxy_manager.proxy.id', 'Proxies'),
            },
            subtitle: 'different hosts',
            secondPrefix: 'proxies',
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'verdicts',
          title: 'Verdicts over time',
          description: 'What each failed attempt showed about key, proxy and site; good ones are left out.',
          width: 28,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_stacked',
            columns: {
              time: TIMELINE,
              throttled: VERDICT_SERIES.throttled,
              spent: VERDICT_SERIES.spent,
              refused: VERDICT_SERIES.refused,
              blocked: VERDICT_SERIES.blocked,
              'proxy-dead': VERDICT_SERIES['proxy-dead'],
              down: VERDICT_SERIES.down,
            },
            x: 'time',
            y: BAD_VERDICTS,
            yTitle: 'attempts',
            colors: VERDICT_COLORS,
          }),
        }),
        lensPanel({
          id: 'attempts',
          title: 'Retries per request',
          description: 'How many requests needed a first, second, third … attempt.',
          width: 20,
          where: ATTEMPT,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_horizontal_stacked',
            columns: {
              attempt: terms('proxy_manager.attempt.number', 'Attempt', {
                size: 10,
                direction: 'asc',
                dataType: 'number',
              }),
              good: count('succeeded', SUCCESS),
              failed: count('failed', FAILURE),
            },
            x: 'attempt',
            y: ['good', 'failed'],
            yTitle: 'attempts',
            colors: { good: VERDICT_COLORS.good, failed: VERDICT_COLORS.down },
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'reasons',
          title: 'Reasons',
          description: 'Why attempts failed. Click a reason to narrow this dashboard down to it.',
          width: 16,
          where: FAILURE,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_horizontal',
            columns: {
              reason: terms('event.reason', 'Reason', { size: 12, by: 'failures' }),
              failures: count('Failures'),
            },
            x: 'reason',
            y: ['failures'],
            yTitle: 'failures',
            colors: { failures: COUNT_COLOR },
          }),
        }),
        lensPanel({
          id: 'types',
          title: 'Error types and codes',
          description: 'Failures without a reply, by the type and the code of the error.',
          width: 16,
          where: 'error.type: *',
          leadsTo: ['proxy-manager-exchanges'],
          chart: table({
            columns: {
              type: terms('error.type', 'Type', { size: 10, by: 'failures' }),
              code: terms('error.code', 'Code', { size: 10, by: 'failures' }),
              failures: count('Failures'),
              seen: last('@timestamp', 'Last seen', 'date'),
            },
            sort: 'failures',
          }),
        }),
        lensPanel({
          id: 'slowest',
          title: 'Slowest hosts',
          description: 'Hosts by the 95th percentile of their attempts.',
          width: 16,
          where: ATTEMPT,
          leadsTo: ['proxy-manager-exchanges'],
          chart: table({
            columns: {
              host: terms('url.domain', 'Host', { size: 15, by: 'p95' }),
              p95: percentile('event.duration', 95, 'p95'),
              max: max('event.duration', 'Slowest'),
              attempts: count('Attempts'),
              ...formula('failed', 'Failed', over(countOf(FAILURE), countOf('')), PERCENT),
            },
            sort: 'p95',
            colored: { failed: SHARE_OF_FAILURE },
          }),
        }),
      ],
    },
    {
      height: 20,
      panels: [
        searchPanel({
          id: 'last-failures',
          title: 'Last failures',
          description: 'The newest failed attempts, with url, status, credential and proxy.',
          width: 48,
          search: FAILED_EXCHANGES_ID,
        }),
      ],
    },
  ],
});
