import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { elasticsearchConnection } from '../../src/connections.js';
import { redisConnection } from '../../src/redis-connection.js';
import { ConfigError, StoreError } from '../../src/errors.js';
import { elasticsearchSink } from '../../src/log/elasticsearch.js';
import { problemReports } from '../../src/log/problems.js';
import { elasticsearchMask, redisMask, withMaskedErrors } from '../../src/store-passwords.js';
import type { Pool, Ticket } from '../../src/usage/usage-store.js';

const PASSWORD = 'HUSH/PASS+77';
const ENCODED = encodeURIComponent(PASSWORD);
const BASIC = Buffer.from(`user:${PASSWORD}`).toString('base64');

/** All that a person or a logger gets to see of an error. */
function shown(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })}\n${JSON.stringify(error)}`;
}

function errorOf(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

test.each([
  `redis://user:${ENCODED}@[::`,
  `redis://user:${ENCODED}@host:notaport`,
  `redis://user:HUSHPASS@x@host/#@`,
  `redis://user:HUSH%PASS@host`,
  `http://user:${ENCODED}@host:6379`,
  `user:${ENCODED}@host:notaport`,
])('a Redis url that cannot be read is refused at once, and not shown: %#', (url) => {
  const error = errorOf(() => redisConnection(url));
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toMatch(/redis: expected an url such as redis:\/\/host:6379, found one with the scheme \w+/);
  expect(shown(error)).not.toMatch(/HUSH|user:/);
});

test.each([
  `http://user:${ENCODED}@[::`,
  `ftp://user:${ENCODED}@host`,
  `user:${ENCODED}@host:9200`,
  `http://user:12/HUSHPASS@host:9200`,
  { node: `http://user:${ENCODED}@[::` },
  { nodes: ['http://host:9200', `ftp://user:${ENCODED}@host`] },
])('an Elasticsearch url that cannot be read is refused at once, and not shown: %#', (setting) => {
  const error = errorOf(() => elasticsearchConnection(setting));
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toContain('elasticsearch: expected an url such as https://host:9200, found ');
  expect(shown(error)).not.toMatch(/HUSH|user:/);
});

test.each(['redis://host', 'rediss://u:p%40@host:1/2', '//host:6379', 'host:6379', '6379', '/run/redis.sock?db=2'])(
  'what ioredis can read is taken: %s',
  (url) => expect(() => redisConnection(url)).not.toThrow(),
);

test.each(['https://u:p%40@host/path', { node: new URL('http://host') }, { nodes: [{ url: new URL('http://host') }] }])(
  'what Elasticsearch can read is taken: %#',
  // The last form is the client's own.
  (setting) => expect(() => elasticsearchConnection(setting as string)).not.toThrow(),
);

test('the cause of a store error is name, code and message, and no userinfo of an url', () => {
  const cause = Object.assign(new TypeError(`no way to redis://user:${ENCODED}@host:1, try http://other/x@y`), {
    code: 'ENOTFOUND',
    command: { name: 'auth', args: ['user', PASSWORD] },
    client: { options: { password: PASSWORD } },
    cause: new Error(PASSWORD),
  });
  const error = new StoreError('redis usage store', 'count a use', cause);
  expect(error.message).toBe(
    'redis usage store: could not count a use: no way to redis://***@host:1, try http://other/x@y',
  );
  expect(error.cause).toMatchObject({
    name: 'TypeError',
    code: 'ENOTFOUND',
    message: 'no way to redis://***@host:1, try http://other/x@y',
  });
  expect(shown(error)).not.toMatch(/HUSH|user:/);
});

test('a fault without words of its own is told by its code', () => {
  const cause = Object.assign(new AggregateError([new Error('one'), new Error('two')]), { code: 'ECONNREFUSED' });
  expect(new StoreError('redis usage store', 'count a use', cause).message).toContain('count a use: ECONNREFUSED');
});

test('a warning of the log is as silent about its cause', () => {
  const told: Error[] = [];
  const problems = problemReports((problem) => told.push(problem));
  problems.report('sink', 'could not ship', Object.assign(new Error('401'), { meta: { headers: { auth: BASIC } } }));
  problems.report('other', 'could not ship', { url: `http://user:${ENCODED}@host` });
  expect(told.map(({ message }) => message)).toMatchObject([
    'exchange log: could not ship: 401',
    expect.stringContaining('http://***@host'),
  ]);
  expect(told.map(shown).join('\n')).not.toMatch(new RegExp(`HUSH|${BASIC}`));
});

test('passwords are masked in every spelling, wherever they are set', () => {
  const said = `${PASSWORD} ${ENCODED} ${ENCODED.toLowerCase()} ${JSON.stringify(`"${PASSWORD}`)} fine`;
  const masked = '*** *** *** "\\"***" fine';
  for (const setting of [
    `redis://user:${ENCODED}@host`,
    `//:${ENCODED}@host`,
    `user:${ENCODED}@host:6379`,
    `redis://host?password=${ENCODED}`,
    { password: PASSWORD },
    { sentinelPassword: PASSWORD },
  ]) {
    expect(redisMask(setting)(said)).toBe(masked);
  }
  for (const setting of [
    `http://user:${ENCODED}@host`,
    { node: `http://user:${ENCODED}@host` },
    { nodes: [{ url: new URL(`http://user:${ENCODED}@host`) }] },
    { auth: { username: 'user', password: PASSWORD } },
    { auth: { apiKey: PASSWORD } },
    { auth: { apiKey: { id: 'user', api_key: PASSWORD } } },
    { auth: { bearer: PASSWORD } },
  ]) {
    expect(elasticsearchMask(setting as string)(said)).toBe(masked);
  }
  expect(elasticsearchMask({ auth: { username: 'user', password: PASSWORD } })(`Basic ${BASIC}`)).toBe('Basic ***');
  expect(redisMask('redis://host')(said)).toBe(said);
  expect(redisMask('redis://:a@host')('a word')).toBe('a word');
});

test('every verb of a usage store tells its errors masked', async () => {
  const fail = async (): Promise<never> => {
    throw new StoreError('redis usage store', 'count', new Error(`no ${PASSWORD}`));
  };
  const verbs = {
    take: fail,
    arrived: fail,
    giveBack: fail,
    rest: fail,
    read: fail,
    note: fail,
    standings: fail,
    learn: fail,
  };
  const failing = { ...verbs, close: async () => {} };
  const store = withMaskedErrors(failing, redisMask({ password: PASSWORD }));
  const pool: Pool = { endpoint: 'a', sections: [] };
  const ticket: Ticket = { granted: true, pool, cost: 1, taken: [], arrivalMattersFromMs: 0, receipt: [] };
  for (const verb of [
    store.take({ pool, cost: 1 }),
    store.arrived(ticket),
    store.giveBack(ticket),
    store.rest(pool, 'id', 1),
    store.read(pool),
    store.note('book', 'id', { kind: 'clear' }),
    store.standings('book'),
    store.learn(pool, 'id', []),
  ]) {
    const error: unknown = await verb.catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      message: 'redis usage store: could not count: no ***',
      cause: { message: 'no ***' },
    });
    expect(shown(error)).not.toContain('HUSH');
  }
});

test('an Elasticsearch that says no and echoes tells no password through the sink', async () => {
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    response.writeHead(401, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
    const reason = `unable to authenticate ${authorization} of ${PASSWORD}`;
    const cause = { type: 'security_exception', reason };
    response.end(JSON.stringify({ error: { ...cause, root_cause: [cause] }, status: 401 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://user:${ENCODED}@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { client, close, mask } = elasticsearchConnection(url);
  onTestFinished(close);
  for (const installAssets of [true, false]) {
    const sink = elasticsearchSink({ client, installAssets, mask });
    const shipped = sink.ship(['{"event":{"id":"1"}}'], new AbortController().signal);
    const error: unknown = await shipped.catch((fault: unknown) => fault);
    expect(String(error)).toContain('unable to authenticate Basic *** of ***');
    expect(shown(error)).not.toMatch(new RegExp(`HUSH|${BASIC}`));
  }
});
