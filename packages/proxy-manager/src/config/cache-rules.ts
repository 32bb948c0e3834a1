import type { Rule, Rules } from './option-rules.js';
import { bool, each, either, isObject, isText, object, oneOf, positiveInteger, rule, ttl } from './option-rules.js';
import { problem } from './problem.js';
import { WORD } from './shown.js';

/** A token of RFC 9110 §5.6.2, as names of headers are. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** A century at most, and 0 for not at all. */
const ttlOrNone: Rule = (value, path, problems) => (value === 0 ? undefined : ttl(value, path, problems));

const URL_TTL: Rules = {
  url: rule(
    'a string, in which * stands for any text, or a RegExp',
    (url) => isText(url) || url instanceof RegExp,
    'secret',
  ),
  ttlMs: ttlOrNone,
};

const urlTtl: Rule = (value, path, problems) => {
  object(URL_TTL, Object.keys(URL_TTL))(value, path, problems);
  if (!isObject(value)) return;
  for (const name of Object.keys(URL_TTL)) {
    if (Reflect.get(value, name) === undefined)
      problems.push(problem([...path, name], 'expected a value, found nothing'));
  }
};

const isStorable = (status: unknown): boolean =>
  Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599 && status !== 206 && status !== 304;

const storable = 'a status from 200 to 599, not 206 or 304, which are parts';

const byStatus: Rule = (value, path, problems) => {
  if (!isObject(value)) return rule('an object of milliseconds by status', () => false)(value, path, problems);
  for (const [status, ttlMs] of Object.entries(value)) {
    rule(`${storable}, as name`, (name) => /^\d{3}$/.test(String(name)) && isStorable(Number(name)))(
      status,
      path,
      problems,
    );
    ttlOrNone(ttlMs, [...path, status], problems);
  }
};

const POLICY: Rules = {
  mode: rule('ttl or http', oneOf('ttl', 'http'), WORD),
  ttlMs: ttl,
  ttlMsByUrl: each(urlTtl),
  ttlMsByStatus: byStatus,
  methods: each(rule('GET, HEAD, POST or QUERY', oneOf('GET', 'HEAD', 'POST', 'QUERY'), WORD)),
  statuses: each(rule(storable, isStorable)),
  maxEntryBytes: positiveInteger,
  staleWhileRevalidateMs: ttlOrNone,
  staleIfErrorMs: ttlOrNone,
  varyBy: each(rule('the name of a header', (name) => typeof name === 'string' && TOKEN.test(name), WORD)),
  sortQuery: bool,
  perCredential: bool,
  tags: each(rule('a string', isText)),
  shouldStore: rule('a function', (value) => typeof value === 'function'),
};

const MODES = ['default', 'force-cache', 'no-cache', 'no-store', 'only-if-cached', 'reload'] as const;

/** `cache` of a call or a Request. */
export const cacheOption: Rule = either(
  object(POLICY, Object.keys(POLICY)),
  rule(`true, false, { ttlMs, … } or one of ${MODES.join(', ')}`, oneOf(true, false, ...MODES), WORD),
);
