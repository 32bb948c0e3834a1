import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProxyCredential } from '../../src/config/resolve.js';
import { compose } from '../../src/pipeline/compose.js';
import type { Stage } from '../../src/pipeline/stage.js';
import { retryStage } from '../../src/stages/retry.js';
import { wireStage } from '../../src/stages/wire.js';
import { createTransport } from '../../src/transport/create.js';
import { undiciTransport } from '../../src/transport/undici.js';
import { selfSigned } from '../servers/certificate.js';
import { closedPort, startFaulty, startRaw } from '../servers/faulty.js';
import { startOrigin } from '../servers/origin.js';
import { startProxy } from '../servers/proxy.js';
import { testExchange } from '../support/exchange.js';
import { faultOf, observe, proxyAt, textOf, wireRequest } from './wire.js';

const PASSWORD = 'pass:wörd@';
const originCertificate = selfSigned();
const proxyCertificate = selfSigned();
const transport = undiciTransport({
  tls: { ca: [originCertificate.cert, proxyCertificate.cert] },
  connectMs: 500,
  headersMs: 100,
});
const cleanups: (() => Promise<void>)[] = [() => transport.close()];
const open = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const server = await starting;
  cleanups.unshift(() => server.close());
  return server;
};
afterEach(async () => {
  for (const close of cleanups.splice(0, cleanups.length - 1)) await close();
});

const echo = (secure: boolean) =>
  startOrigin(
    (request, response) => response.end(JSON.stringify({ url: request.url, headers: request.headers })),
    secure ? originCertificate : undefined,
  );

const LOGIN = { username: 'user', password: PASSWORD };

describe.each([
  ['an http proxy', undefined, {}],
  ['an https proxy', proxyCertificate, {}],
  ['an http proxy with a password', undefined, LOGIN],
  ['an https proxy with a password', proxyCertificate, LOGIN],
])('through %s', (_kind, certificate, login) => {
  test('an http origin is asked for by absolute url, with its password, if it has one, in each request and never passed on', async () => {
    const [origin, proxy] = [
      await open(echo(false)),
      await open(startProxy({ ...login, ...(certificate ? { certificate } : {}) })),
    ];
    const request = wireRequest(`${origin.url}/a?b=c`, {
      proxy: proxyAt(proxy.url),
      headers: [['Proxy-Authorization', 'mine']],
    });
    for (let i = 0; i < 2; i++) {
      const reply = await transport.send(request, observe());
      const seen = JSON.parse(await textOf(reply.body));
      expect(seen.url).toBe('/a?b=c');
      expect(seen.headers.host).toBe(`127.0.0.1:${origin.port}`);
      expect(seen.headers).not.toHaveProperty('proxy-authorization');
    }
    expect(proxy).toMatchObject({ requests: 2, tunnels: 0, refusals: 0 });
  });

  test('an https origin is reached by a tunnel, opened once, with TLS to the origin itself', async () => {
    const [origin, proxy] = [
      await open(echo(true)),
      await open(startProxy({ ...login, ...(certificate ? { certificate } : {}) })),
    ];
    const [first, second] = [observe(), observe()];
    const request = wireRequest(`${origin.url}/a?b=c`, { proxy: proxyAt(proxy.url) });
    const reply = await transport.send(request, first);
    await transport.send(request, second);
    const seen = JSON.parse(await textOf(reply.body));
    expect(seen.url).toBe('/a?b=c');
    expect(seen.headers).not.toHaveProperty('proxy-authorization');
    expect(proxy).toMatchObject({ requests: 0, tunnels: 1, refusals: 0 });
    expect(first.connectMs).toBeGreaterThan(0);
    expect(second.connectMs).toBeUndefined();
  });
});

test('one connection to a proxy serves many http origins; tunnels belong to one origin each', async () => {
  const proxy = await open(startProxy());
  const servers = [await open(echo(false)), await open(echo(false)), await open(echo(true)), await open(echo(true))];
  const observations = [];
  for (const { url } of servers) {
    const observation = observe();
    observations.push(observation);
    await transport.send(wireRequest(url, { proxy: proxyAt(proxy.url) }), observation);
  }
  expect(observations.map(({ connectMs }) => connectMs !== undefined)).toEqual([true, false, true, true]);
  expect(proxy).toMatchObject({ requests: 2, tunnels: 2 });
});

test('a TLS session is resumed by the way that it came, for an origin knows who comes again by it', async () => {
  const origin = await open(
    startOrigin(
      (request, response) => response.end(String((request.socket as TLSSocket).isSessionReused())),
      originCertificate,
    ),
  );
  const [one, other] = [await open(startProxy()), await open(startProxy())];
  const resumed = async (proxy?: ProxyCredential): Promise<string> => {
    const request = wireRequest(origin.url, { proxy, headers: [['connection', 'close']] });
    return textOf((await transport.send(request, observe())).body);
  };
  const ways = [proxyAt(one.url, 'p1'), proxyAt(other.url, 'p2'), undefined];
  for (const way of ways) expect([await resumed(way), await resumed(way)]).toEqual(['false', 'true']);
});

test('an https proxy that nobody vouches for is given neither password nor request', async () => {
  const proxy = await open(startProxy({ ...LOGIN, certificate: selfSigned() }));
  for (const url of ['http://127.0.0.1:9/', 'https://127.0.0.1:9/']) {
    const fault = await faultOf(transport.send(wireRequest(url, { proxy: proxyAt(proxy.url) }), observe()));
    expect(fault).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', phase: 'proxy', sent: false });
  }
  expect(proxy).toMatchObject({ requests: 0, tunnels: 0, refusals: 0 });
});

test('the certificate of an origin is checked against its name behind a proxy too', async () => {
  const bad = selfSigned({ names: ['other.example'] });
  const trusting = undiciTransport({ tls: { ca: bad.cert } });
  cleanups.unshift(() => trusting.close());
  const [origin, proxy] = [
    await open(startOrigin((_request, response) => response.end(), bad)),
    await open(startProxy()),
  ];
  const fault = await faultOf(trusting.send(wireRequest(origin.url, { proxy: proxyAt(proxy.url) }), observe()));
  expect(fault).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', phase: 'connect', sent: false });
  expect(origin.requests).toBe(0);
});

describe.each(['http', 'https'])('for an %s origin', (scheme) => {
  const url = `${scheme}://127.0.0.1:9/path?appid=SECRET`;
  // Without a tunnel the request itself goes to the proxy, so it was sent.
  const sent = scheme === 'http';

  test('a proxy that refuses the connection is one fault of the proxy, and nothing was sent', async () => {
    const port = await closedPort();
    const fault = await faultOf(
      transport.send(wireRequest(url, { proxy: proxyAt(`http://user:SECRET@127.0.0.1:${port}`) }), observe()),
    );
    expect(fault).toMatchObject({ code: 'ECONNREFUSED', phase: 'proxy', sent: false });
    expect(fault.message).toBe('proxy p1 refused the connection (ECONNREFUSED)');
  });

  test.each([
    ['reset', 'ECONNRESET', sent],
    ['close', 'ECONNRESET', sent],
    ['garbage', sent ? 'ERR_BAD_RESPONSE' : 'ERR_PROXY_TUNNEL', sent],
    // Whoever is refused by the proxy has reached no origin.
    ['407', 'ERR_PROXY_AUTH_REQUESTED', false],
  ] as const)(
    'a proxy that answers by %s is one fault that names the proxy, on one connection',
    async (how, code, isSent) => {
      const proxy = await open(startFaulty(how));
      const observation = observe();
      const fault = await faultOf(
        transport.send(wireRequest(url, { proxy: proxyAt(`http://user:SECRET@127.0.0.1:${proxy.port}`) }), observation),
      );
      // Silence is how many a proxy says that the target is dead; only who wants a password or is no proxy is sure.
      const isItsOwn = how === '407' || (how === 'garbage' && scheme === 'https');
      const phase = isItsOwn ? 'proxy' : 'tunnel';
      expect(fault).toMatchObject({ code, phase, sent: isSent });
      expect(fault.message).toContain('proxy p1');
      expect(`${fault.message} ${fault.stack}`).not.toContain('SECRET');
      expect(observation.sent).toBe(isSent);
      expect(proxy.connections).toBe(1);
      await expect.poll(() => proxy.openConnections).toBe(0);
    },
  );

  test('a proxy that hangs is ETIMEDOUT', async () => {
    const proxy = await open(startFaulty('hang'));
    const fault = await faultOf(
      transport.send(wireRequest(url, { proxy: proxyAt(`http://127.0.0.1:${proxy.port}`) }), observe()),
    );
    // Behind an absolute url nobody can tell a proxy that hangs from an origin that does.
    expect(fault).toMatchObject({ code: 'ETIMEDOUT', phase: sent ? 'request' : 'tunnel', sent });
    expect(proxy.connections).toBe(1);
    await expect.poll(() => proxy.openConnections).toBe(0);
  });

  test('a proxy that wants another password is ERR_PROXY_AUTH_REQUESTED', async () => {
    const proxy = await open(startProxy({ username: 'user', password: PASSWORD }));
    const wrong = proxy.url.replace('user', 'SECRET');
    const fault = await faultOf(transport.send(wireRequest(url, { proxy: proxyAt(wrong) }), observe()));
    expect(fault).toMatchObject({ code: 'ERR_PROXY_AUTH_REQUESTED', phase: 'proxy', sent: false });
    expect(fault.message).not.toContain('SECRET');
    expect(proxy.refusals).toBe(1);
  });
});

test.each(['502', '503', '504', '403'] as const)(
  'a proxy that opens no tunnel and says %s is not at fault itself',
  async (how) => {
    const proxy = await open(startFaulty(how));
    const fault = await faultOf(
      transport.send(
        wireRequest('https://127.0.0.1:9', { proxy: proxyAt(`http://127.0.0.1:${proxy.port}`) }),
        observe(),
      ),
    );
    expect(fault).toMatchObject({ code: 'ERR_PROXY_TUNNEL', phase: 'tunnel', sent: false });
    expect(fault.message).toBe(
      `proxy p1, asked for a tunnel to 127.0.0.1:9, answered with status ${how} (ERR_PROXY_TUNNEL)`,
    );
  },
);

test.each([
  ['the fast way', {}],
  ['axios', { axios: { family: 4 as const } }],
])('a 407 to a later hop leaves what the first one sent (%s)', async (_way, options) => {
  const both = createTransport();
  cleanups.unshift(() => both.close());
  const proxy = await open(
    startRaw((socket, soFar) =>
      socket.end(
        soFar.includes('/next')
          ? 'HTTP/1.1 407 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
          : 'HTTP/1.1 302 There\r\nlocation: /next\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
      ),
    ),
  );
  const observation = observe();
  const fault = await faultOf(
    both.send(
      wireRequest('http://api.example.com/', {
        proxy: proxyAt(`http://127.0.0.1:${proxy.port}`),
        options: { maxRedirects: 1, ...options },
      }),
      observation,
    ),
  );
  expect(fault).toMatchObject({ code: 'ERR_PROXY_AUTH_REQUESTED', phase: 'proxy', sent: true });
  expect(observation).toMatchObject({ sent: true, redirects: 1 });
});

test.each([
  ['the fast way', {}],
  ['axios', { axios: { family: 4 as const } }],
])('a POST that one proxy answers by 407 goes out through another (%s)', async (_way, options) => {
  const both = createTransport();
  cleanups.unshift(() => both.close());
  const origin = await open(startOrigin((_request, response) => response.end('origin')));
  const [first, second] = [await open(startFaulty('407')), await open(startProxy())];
  const clock = { now: () => Date.now() };
  const proxies = [proxyAt(`http://127.0.0.1:${first.port}`), proxyAt(second.url, 'p2')];
  const verdicts: (string | undefined)[] = [];
  const lease: Stage = async (exchange, next) => {
    const proxy = proxies[exchange.attempt.number - 1];
    const settle = async () => {};
    try {
      return await next({ ...exchange, lease: { key: undefined, proxy, taken: [], charge: settle, settle } });
    } finally {
      verdicts.push(`${exchange.attempt.verdict?.kind} ${exchange.attempt.sent}`);
    }
  };
  const run = compose([retryStage({ clock }), lease], wireStage({ transport: both, clock }));
  const base = testExchange();
  const wire = { ...base.request.wire, ...options };
  const request = { ...base.request, method: 'POST', body: 'x', url: new URL(origin.url), wire };
  const reply = await run({ ...base, request });
  expect(await textOf(reply.body)).toBe('origin');
  expect(verdicts).toEqual(['proxy-dead false', 'good true']);
});

test('a tunnel that closes as soon as it is open is one fault', async () => {
  const proxy = await open(startFaulty('open-and-close'));
  const fault = await faultOf(
    transport.send(wireRequest('https://127.0.0.1:9', { proxy: proxyAt(`http://127.0.0.1:${proxy.port}`) }), observe()),
  );
  expect(fault).toMatchObject({ code: 'ECONNRESET', phase: 'connect', sent: false });
  expect(proxy.connections).toBe(1);
});
