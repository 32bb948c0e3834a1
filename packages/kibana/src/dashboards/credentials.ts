import { ANY_IS_BAD, BAD_COLOR, SHARE_OF_LIMIT, SHARE_OF_SUCCESS, WARN_COLOR } from '../content/colors.js';
import { ATTEMPT, REFUSED, SUCCESS, all } from '../content/queries.js';
import { whenEmpty } from '../content/when-empty.js';
import { dashboard } from '../dashboard/dashboard.js';
import { lensPanel } from '../dashboard/lens-panel.js';
import { TIMELINE, terms } from '../lens/bucket.js';
import { PERCENT, WHOLE, count, last, min, unique } from '../lens/column.js';
import { countOf, formula, lastOf, over } from '../lens/formula.js';
import { metricChart } from '../lens/metric-chart.js';
import { table } from '../lens/table.js';
import { xy } from '../lens/xy.js';
import type { SavedObject } from '../saved-object.js';

const CREDENTIAL = 'proxy_manager.credential.id';
const LIMIT = 'proxy_manager.rate_limit';

/** Attempts that used a key. */
const USE = all(ATTEMPT, `${CREDENTIAL}: *`);
const THROTTLED = 'proxy_manager.verdict: ("throttled" or "spent")';

/** Who is nearly spent? */
export const CREDENTIALS: SavedObject = dashboard({
  id: 'proxy-manager-credentials',
  title: 'Credentials and quotas',
  description: 'Which credential is nearly spent, when does it come back, who was throttled or refused?',
  whenEmpty: whenEmpty('Credentials appear here when endpoints of `key_based` are used.'),
  // Quotas are mostly by the day.
  timeFrom: 'now-24h',
  rows: [
    {
      height: 6,
      panels: [
        lensPanel({
          id: 'credentials',
          title: 'Credentials in use',
          description: 'Keys that were used at least once.',
          width: 12,
          chart: metricChart({
            columns: { value: unique(CREDENTIAL, 'Credentials in use'), second: count('Uses', USE) },
            subtitle: 'different keys',
            secondPrefix: 'uses',
          }),
        }),
        lensPanel({
          id: 'least-left',
          title: 'Least left',
          description: 'The smallest number of uses that any credential had left.',
          width: 12,
          where: USE,
          chart: metricChart({
            columns: { value: min(`${LIMIT}.remaining`, 'Least left', { format: WHOLE }) },
            subtitle: 'uses, of any credential at any time',
          }),
        }),
        lensPanel({
          id: 'throttled',
          title: 'Throttled by the provider',
          description: 'Attempts that the provider answered with: too many. The credential rests after it.',
          width: 12,
          chart: metricChart({
            columns: { value: count('Throttled', THROTTLED) },
            subtitle: 'the provider said: too many',
            steps: ANY_IS_BAD,
          }),
        }),
        lensPanel({
          id: 'refused',
          title: 'Refused for want of a credential',
          description: 'Requests refused before they were sent, since every credential was used up or resting.',
          width: 12,
          chart: metricChart({
            columns: { value: count('Refused', REFUSED) },
            subtitle: 'no key or proxy was left',
            steps: ANY_IS_BAD,
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'limits',
          title: 'Used against limit',
          description:
            'The quota as it was at the last use of each credential; after the reset it is whole again. Of several windows the one with the least left. Click a credential to see its failures, or the list of its exchanges.',
          width: 48,
          where: USE,
          leadsTo: ['proxy-manager-failures', 'proxy-manager-exchanges'],
          chart: table({
            columns: {
              credential: terms(CREDENTIAL, 'Credential', { size: 50, by: 'uses' }),
              ...formula('share', 'Used of limit', over(lastOf(`${LIMIT}.used`), lastOf(`${LIMIT}.limit`)), PERCENT),
              used: last(`${LIMIT}.used`, 'Used', 'number', WHOLE),
              limit: last(`${LIMIT}.limit`, 'Limit', 'number', WHOLE),
              left: last(`${LIMIT}.remaining`, 'Left', 'number', WHOLE),
              reset: last(`${LIMIT}.reset`, 'Resets', 'date'),
              seen: last('@timestamp', 'Last used', 'date'),
              uses: count('Uses in this time'),
              throttled: count('Throttled', THROTTLED),
              ...formula('success', 'Success', over(countOf(SUCCESS), countOf('')), PERCENT),
            },
            sort: 'share',
            colored: { share: SHARE_OF_LIMIT, success: SHARE_OF_SUCCESS },
            widths: { reset: 210, seen: 210 },
          }),
        }),
      ],
    },
    {
      height: 14,
      panels: [
        lensPanel({
          id: 'burn-down',
          title: 'Uses left',
          description:
            'How the quota of each of the ten most used credentials burns down, and comes back at its reset.',
          width: 28,
          where: all(USE, `${LIMIT}.remaining: *`),
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'line',
            columns: {
              credential: terms(CREDENTIAL, 'Credential', { size: 10, by: 'left', direction: 'asc' }),
              time: TIMELINE,
              left: min(`${LIMIT}.remaining`, 'Uses left', { format: WHOLE }),
            },
            x: 'time',
            y: ['left'],
            split: 'credential',
            yTitle: 'uses left',
            fitting: 'Carry',
          }),
        }),
        lensPanel({
          id: 'accounts',
          title: 'Uses per endpoint and account',
          description:
            'Keys of one account share its quota; keys that name no account stand under "(missing value)". Click one to see the list of its exchanges.',
          width: 20,
          where: USE,
          leadsTo: ['proxy-manager-exchanges'],
          chart: table({
            columns: {
              endpoint: terms('proxy_manager.endpoint', 'Endpoint', { size: 20, by: 'uses' }),
              account: terms('proxy_manager.account.id', 'Account', { size: 20, by: 'uses', missing: true }),
              uses: count('Uses'),
              credentials: unique(CREDENTIAL, 'Credentials'),
              ...formula('success', 'Success', over(countOf(SUCCESS), countOf('')), PERCENT),
            },
            sort: 'uses',
            colored: { success: SHARE_OF_SUCCESS },
          }),
        }),
      ],
    },
    {
      height: 13,
      panels: [
        lensPanel({
          id: 'uses',
          title: 'Uses over time',
          description: 'Which credential was used when. They should be used alike.',
          width: 28,
          where: USE,
          leadsTo: ['proxy-manager-exchanges'],
          chart: xy({
            shape: 'bar_stacked',
            columns: {
              credential: terms(CREDENTIAL, 'Credential', { size: 10, by: 'uses', other: true }),
              time: TIMELINE,
              uses: count('Uses'),
            },
            x: 'time',
            y: ['uses'],
            split: 'credential',
            yTitle: 'uses',
          }),
        }),
        lensPanel({
          id: 'held-back',
          title: 'Throttled and refused over time',
          description: 'Throttled by the provider, and refused by us since nothing was left.',
          width: 20,
          leadsTo: ['proxy-manager-failures'],
          chart: xy({
            shape: 'bar_stacked',
            columns: {
              time: TIMELINE,
              throttled: count('throttled', THROTTLED),
              refused: count('refused', REFUSED),
            },
            x: 'time',
            y: ['throttled', 'refused'],
            yTitle: 'exchanges',
            colors: { throttled: WARN_COLOR, refused: BAD_COLOR },
          }),
        }),
      ],
    },
  ],
});
