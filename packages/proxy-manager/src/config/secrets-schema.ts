import * as v from 'valibot';
import type { VerdictName } from '../pool/verdict.js';
import type { SecretsFile } from './secrets-file.js';
import { DURATION } from './windows.js';

/** A century: beyond it a date that is told to the caller could not be written. */
const LONGEST_WINDOW_MINUTES = 52_560_000;
const LONGEST_TIMER_MS = 2_147_483_647;

/** As in pool/verdict.ts, which this folder must not load. */
const VERDICT_NAMES = [
  'good',
  'throttled',
  'spent',
  'refused',
  'blocked',
  'proxy-dead',
  'down',
] as const satisfies readonly VerdictName[];

// The message of every schema is what it expects, in the words of the error; of `fields` it lists the known ones.
const whole = 'a positive integer';
const minutes = `a positive number of minutes, at most ${LONGEST_WINDOW_MINUTES}`;
const milliseconds = `milliseconds from 0 to ${LONGEST_TIMER_MS}`;

function fields<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, (issue: v.StrictObjectIssue) => string> {
  const known = Object.keys(entries).join(' ');
  return noArray(
    v.strictObject(entries, (issue) => (issue.expected === 'never' ? known : 'an object')),
    'an object',
  );
}

function named<const Value extends v.GenericSchema>(
  value: Value,
  expected: string,
): v.RecordSchema<v.StringSchema<undefined>, Value, string> {
  return noArray(v.record(v.string(), value, expected), expected);
}

/** To valibot an array is an object too. */
function noArray<Schema extends v.GenericSchema>(schema: Schema, message: string): Schema {
  const run = schema['~run'].bind(schema);
  const checked: typeof run = (dataset, config) => {
    const { value: input } = dataset;
    if (!Array.isArray(input)) return run(dataset, config);
    const { type, expects: expected } = schema;
    return {
      typed: false,
      value: input,
      issues: [{ kind: 'schema', type, input, expected, received: 'Array', message }],
    };
  };
  return Object.assign(schema, { '~run': checked });
}

function described<const Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
): v.SchemaWithPipe<readonly [Schema, v.DescriptionAction<v.InferOutput<Schema>, string>]> {
  return v.pipe(schema, v.description(text));
}

const positiveInteger = v.pipe(v.number(whole), v.safeInteger(whole), v.minValue(1, whole));

const limit = described(
  positiveInteger,
  'Uses of each key or proxy within refresh_rate. Absent: unlimited, yet counted.',
);
const refreshRate = v.pipe(
  v.number(minutes),
  v.gtValue(0, minutes),
  v.maxValue(LONGEST_WINDOW_MINUTES, minutes),
  v.description('Minutes after its first use at which the count of a key or proxy starts anew; needed with limit.'),
);
const hosts = v.pipe(
  v.array(v.string('a host name'), 'an array of host names'),
  v.minLength(1, 'at least one host name'),
  v.description(
    'Hosts that requests may go to, *.example.com for subdomains. A url outside them is refused. Absent: any.',
  ),
);
const STRETCH = `a number of milliseconds from 250 to ${LONGEST_TIMER_MS}`;
const pem = v.string('PEM text, env:NAME, or the path of a file');
const tls = described(
  fields({
    ca: v.exactOptional(described(pem, 'Certificates to trust in place of those that Node.js trusts.')),
    cert: v.exactOptional(described(pem, 'The certificate to show; goes with key.')),
    key: v.exactOptional(described(pem, 'Its private key.')),
    passphrase: v.exactOptional(described(v.string('a string'), 'Of the key; or env:NAME.')),
  }),
  'TLS with the origins of the endpoint: PEM text, env:NAME, or the path of a file.',
);
const pace = described(
  fields({
    concurrency: v.exactOptional(described(positiveInteger, 'Requests under way at once, per host.')),
    minTimeMs: v.exactOptional(
      v.pipe(
        v.number(milliseconds),
        v.minValue(0, milliseconds),
        v.maxValue(LONGEST_TIMER_MS, milliseconds),
        v.description('Least time between two starts, per host, in milliseconds.'),
      ),
    ),
    reservoir: v.exactOptional(
      described(
        fields({
          starts: described(positiveInteger, 'Starts in each stretch.'),
          everyMs: v.pipe(
            v.number(STRETCH),
            v.minValue(250, STRETCH),
            v.maxValue(LONGEST_TIMER_MS, STRETCH),
            v.description('Length of a stretch in milliseconds, at least 250.'),
          ),
        }),
        'So many starts for each stretch of time, per host; a new stretch fills it up again.',
      ),
    ),
  }),
  'Slots of each host.',
);
const DURATION_FORM = 'a duration such as "500ms", "60s", "5m", "24h" or "7d"';
const duration = (text: string): v.GenericSchema<string> =>
  v.pipe(v.string(DURATION_FORM), v.regex(DURATION, DURATION_FORM), v.description(text));
const PERIODS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
const limits = described(
  v.pipe(
    v.array(
      fields({
        uses: described(positiveInteger, 'Uses that the window holds.'),
        within: v.exactOptional(duration('A sliding window: at most so many uses in any stretch of this length.')),
        every: v.exactOptional(duration('A fixed window from the first use, as limit and refresh_rate say it.')),
        per: v.exactOptional(
          v.pipe(
            v.picklist(PERIODS, 'minute, hour, day, week, month or year'),
            v.description('A calendar period by the clocks of timezone; a week begins on Monday.'),
          ),
        ),
        timezone: v.exactOptional(
          described(v.string('a time zone'), 'With per: an IANA name, such as America/Los_Angeles. Default: UTC.'),
        ),
        margin: v.exactOptional(
          duration("How far the provider's window may be off ours, the way there included. Default: none."),
        ),
      }),
      'an array of limits',
    ),
    v.minLength(1, 'at least one limit'),
  ),
  'Limits that hold all at once, each with one of within, every and per.',
);
const bytes = v.exactOptional(
  v.pipe(v.number('a number of bytes'), v.safeInteger('a number of bytes'), v.minValue(0, 'a number of bytes')),
);
const STATUS = 'a status such as 403 or "5xx"';
const status = v.union(
  [
    v.pipe(v.number(STATUS), v.safeInteger(STATUS), v.minValue(100, STATUS), v.maxValue(599, STATUS)),
    v.pipe(v.string(STATUS), v.regex(/^[1-5]xx$/, STATUS)),
  ],
  STATUS,
);
const VERDICT = `one of ${VERDICT_NAMES.join(', ')}`;
const pattern = v.string('a regular expression');
const outcomes = described(
  v.array(
    fields({
      status: v.exactOptional(
        described(
          v.union([status, v.array(status, STATUS)], `${STATUS}, or an array of them`),
          'Statuses of the reply.',
        ),
      ),
      header: v.exactOptional(
        described(
          named(pattern, 'an object of patterns by name'),
          'A regular expression for each header that must be there.',
        ),
      ),
      body: v.exactOptional(described(pattern, 'A regular expression, searched in the first 256 KiB of the body.')),
      size: v.exactOptional(described(fields({ minBytes: bytes, maxBytes: bytes }), 'Size of the body in bytes.')),
      verdict: described(v.picklist(VERDICT_NAMES, VERDICT), 'What the reply means.'),
    }),
    'an array of rules',
  ),
  'What a reply means that meets all conditions of a rule; the first rule that matches decides.',
);
const keyText = described(v.string('a key'), 'The key itself, or env:NAME to take it from the environment.');
const key = v.union(
  [
    keyText,
    fields({
      id: v.exactOptional(
        described(v.string('a name'), 'Shown in logs and counts in place of the key. Absent: a fingerprint of it.'),
      ),
      key: keyText,
      account: v.exactOptional(
        described(v.string('a name'), "Keys with the same account share one count under the endpoint's limits."),
      ),
      limits: v.exactOptional(
        described(limits, "Of this key alone; in place of the endpoint's limits where it has no account."),
      ),
    }),
  ],
  'a key or { id, key }',
);
const template = v.string('a template with {key}');
const templates = named(template, 'an object of templates by name');
const apply = described(
  v.union(
    [
      described(template, 'The authorization header, such as "Bearer {key}".'),
      fields({
        headers: v.exactOptional(described(templates, 'Templates with {key} by header name.')),
        query: v.exactOptional(described(templates, 'Templates with {key} by query parameter.')),
      }),
    ],
    '{ headers }, { query } or a template such as "Bearer {key}"',
  ),
  'How the key travels. Absent: the caller writes {key} where it goes.',
);
const proxies = v.array(v.string('a proxy address'), 'an array of proxy addresses');
const ADDRESS_FORMS = 'host:port, or an URL with http, https or socks5 and user:password where needed, or env:NAME';

const keyEndpoint = fields({
  limit: v.exactOptional(limit),
  refresh_rate: v.exactOptional(refreshRate),
  limits: v.exactOptional(limits),
  keys: v.pipe(
    v.array(key, 'an array of keys'),
    v.minLength(1, 'at least one key'),
    v.description('Each with uses of its own; the least used one serves next.'),
  ),
  hosts: v.exactOptional(hosts),
  apply: v.exactOptional(apply),
  pace: v.exactOptional(pace),
  tls: v.exactOptional(tls),
  outcomes: v.exactOptional(outcomes),
});
const ipEndpoint = fields({
  limit: v.exactOptional(limit),
  refresh_rate: v.exactOptional(refreshRate),
  limits: v.exactOptional(limits),
  proxies: v.exactOptional(
    v.pipe(
      proxies,
      v.minLength(1, 'at least one proxy address'),
      v.description(`In place of the file's ips: ${ADDRESS_FORMS}.`),
    ),
  ),
  hosts: v.exactOptional(hosts),
  pace: v.exactOptional(pace),
  tls: v.exactOptional(tls),
  outcomes: v.exactOptional(outcomes),
});

/** What an endpoint may say, in each of the sections. */
export const ENDPOINT_FIELDS: Readonly<Record<'ip_based' | 'key_based', readonly string[]>> = {
  key_based: Object.keys(keyEndpoint.entries),
  ip_based: Object.keys(ipEndpoint.entries),
};

/** The shape of secrets.json; what a shape cannot say is checked in endpoints.ts. Also the source of secrets.schema.json. */
export const secretsSchema: v.GenericSchema<SecretsFile> = described(
  fields({
    $schema: v.exactOptional(v.string('a string')),
    key_based: v.exactOptional(
      described(named(keyEndpoint, 'an object of endpoints by name'), 'Endpoints that are used with a key, by name.'),
    ),
    ip_based: v.exactOptional(
      described(
        named(ipEndpoint, 'an object of endpoints by name'),
        'Endpoints that are used through a proxy, by name.',
      ),
    ),
    ips: v.exactOptional(described(proxies, `Proxies for every ip_based endpoint without its own: ${ADDRESS_FORMS}.`)),
  }),
  'Keys and proxies of Proxy Manager, by endpoint.',
);
