import { ANY_IS_BAD, SHARE_OF_SUCCESS, TRAFFIC_COLORS, VERDICT_COLORS } from '../content/colors.js';
import { PROXIED, SUCCESS } from '../content/queries.js';
import { BAD_VERDICTS, VERDICT_SERIES } from '../content/verdict-series.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { TIMELINE, terms } from '../lens/bucket.js';
import { BYTES, PERCENT, count, last, percentile, sum, unique } from '../lens/column.js';
import { countOf, formula, over, plus, sumOf } from '../lens/formula.js';
import { metricChart } from '../lens/metric-chart.js';
import { table } from '../lens/table.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

const PROXY = 'proxy_manager.proxy.id';
const DEAD = 'proxy_manager.verdict: "proxy-dead"';
const BLOCKED = 'proxy_manager.verdict: "blocked"';
const TRAFFIC = plus(sumOf('http.response.bytes', ''), sumOf('http.request.bytes', ''));

/** Which proxies are to be thrown away? */
export const PROXIES: SavedObject = dashboard({
  id: 'proxy-manager-proxies',
  title: 'Proxies',
  description: 'Which proxies are worth their money, and which are to be thrown away?',
  whenEmpty: whenEmpty('Proxies appear here when endpoints of `ip_based` are used.'),
  rows: [
    {
      height: 6,
      panels: [
        lensPanel({
          id: 'proxies',
          title: 'Proxies in use',
          description: 'Proxies that were used at least once, and attempts through them.',
          width: 12,
          where: PROXIED,
          chart: metricChart({
            columns: { value: unique(PROXY, 'Proxies in use'), second: count('Attempts') },
            subtitle: 'different proxies',
            secondPrefix: 'attempts',
          }),
        }),
        lensPanel({
          id: 'success',
          title: 'Success through proxies',
          description: 'Attempts through a proxy that ended well: no error, a status below 400, the verdict good.',
          width: 12,
          where: PROXIED,
          chart: metricChart({
            columns: formula('value', 'Success through proxies', over(countOf(SUCCESS), countOf('')), PERCENT),
            subtitle: 'of attempts',
            steps: SHARE_OF_SUCCESS,
          }),
        }),
        lensPanel({
          id: 'dead',
          title: 'Dead proxy',
          description: 'Attempts that failed at the proxy itself, and those that a site blocked.',
          width: 12,
          where: PROXIED,
          chart: metricChart({
            columns: { value: count('Proxy dead', DEAD), second: count('Blocked', BLOCKED) },
            subtitle: 'attempts that the proxy failed',
            secondPrefix: 'blocked by the site',
            steps: ANY_IS_BAD,
          }),
        }),
        lensPanel({
          id: 'traffic',
          title: 'Traffic through proxies',
          description: 'Bytes on the wire in both directions, headers included: what a provider bills.',
          width: 12,
          where: PROXIED,
          chart: metricChart({
            columns: formula('value', 'Traffic through proxies', TRAFFIC, BYTES),
            subtitle: 'sent and received, headers included',
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'per-proxy',
          title: 'Per proxy',
          description: 'The worst first. Click a proxy to see its failures, or the list of its exchanges.',
          width: 48,
          where: PROXIED,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              proxy: terms(PROXY, 'Proxy', { size: 100, by: 'attempts' }),
              ...formula('success', 'Success', over(countOf(SUCCESS), countOf('')), PERCENT),
              attempts: count('Attempts'),
              dead: count('Proxy dead', DEAD),
              blocked: count('Blocked', BLOCKED),
              p50: percentile('event.duration', 50, 'p50'),
              p95: percentile('event.duration', 95, 'p95'),
              ...formula('traffic', 'Traffic', TRAFFIC, BYTES),
              ...formula('each', 'Traffic per success', over(TRAFFIC, countOf(SUCCESS)), BYTES),
              seen: last('@timestamp', 'Last used', 'date'),
            },
            sort: 'success',
            direction: 'asc',
            colored: { success: SHARE_OF_SUCCESS },
            widths: { seen: 210 },
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'verdicts',
          title: 'Verdicts per proxy',
          description: 'What attempts through each proxy showed; those that failed most often by themselves first.',
          width: 20,
          where: PROXIED,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_horizontal_stacked',
            columns: {
              proxy: terms(PROXY, 'Proxy', { size: 15, by: 'proxy-dead' }),
              ...VERDICT_SERIES,
            },
            x: 'proxy',
            y: ['good', ...BAD_VERDICTS],
            yTitle: 'attempts',
            colors: VERDICT_COLORS,
          }),
        }),
        lensPanel({
          id: 'per-host',
          title: 'Per proxy and host',
          description: 'A proxy that one site blocks may serve another. The worst first.',
          width: 28,
          where: PROXIED,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              proxy: terms(PROXY, 'Proxy', { size: 30, by: 'attempts' }),
              host: terms('url.domain', 'Host', { size: 5, by: 'attempts' }),
              ...formula('success', 'Success', over(countOf(SUCCESS), countOf('')), PERCENT),
              attempts: count('Attempts'),
              blocked: count('Blocked', BLOCKED),
              p95: percentile('event.duration', 95, 'p95'),
            },
            sort: 'success',
            direction: 'asc',
            colored: { success: SHARE_OF_SUCCESS },
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'bytes',
          title: 'Traffic over time',
          description: 'Bytes on the wire through proxies, headers included.',
          width: 20,
          where: PROXIED,
          chart: xy({
            shape: 'area_stacked',
            columns: {
              time: TIMELINE,
              received: sum('http.response.bytes', 'received', { format: BYTES }),
              sent: sum('http.request.bytes', 'sent', { format: BYTES }),
            },
            x: 'time',
            y: ['received', 'sent'],
            yTitle: 'bytes',
            colors: { received: TRAFFIC_COLORS.received, sent: TRAFFIC_COLORS.sent },
          }),
        }),
        lensPanel({
          id: 'user-agents',
          title: 'User agents',
          description: 'What sites were told through proxies, and how they took it.',
          width: 28,
          where: PROXIED,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              agent: terms('user_agent.original', 'User agent', { size: 30, by: 'attempts' }),
              ...formula('success', 'Success', over(countOf(SUCCESS), countOf('')), PERCENT),
              attempts: count('Attempts'),
              proxies: unique(PROXY, 'Proxies'),
              blocked: count('Blocked', BLOCKED),
            },
            sort: 'attempts',
            colored: { success: SHARE_OF_SUCCESS },
            widths: { agent: 380 },
          }),
        }),
      ],
    },
  ],
});
