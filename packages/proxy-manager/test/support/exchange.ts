import { Waits } from '../../src/pipeline/waits.js';
import { randomUUID } from 'node:crypto';
import { DEFAULT_POLICY } from '../../src/config/policy.js';
import type { Endpoint } from '../../src/config/resolve.js';
import type { Exchange, Reply } from '../../src/pipeline/exchange.js';
import { openAttempt, openTrace } from '../../src/pipeline/exchange.js';

const endpoint: Endpoint = {
  name: 'test_api',
  keys: [],
  proxies: undefined,
  hosts: undefined,
  apply: undefined,
  pace: undefined,
};

/** An exchange as the doors make it, for tests of one stage. */
export function testExchange(parts: Partial<Exchange> = {}): Exchange {
  return {
    id: randomUUID(),
    endpoint,
    pool: { endpoint: endpoint.name, sections: [] },
    request: {
      method: 'GET',
      url: new URL('https://api.example.com/items'),
      headers: [],
      body: undefined,
      auth: undefined,
      wire: { body: 'buffer', decompress: true, maxRedirects: 5, maxResponseBytes: 1e6, maxRequestBytes: 1e6 },
    },
    policy: DEFAULT_POLICY,
    signal: new AbortController().signal,
    pin: undefined,
    avoid: new Set(),
    waits: new Waits(),
    lease: undefined,
    attempt: openAttempt(0, 0),
    trace: openTrace(0),
    ...parts,
  };
}

/** A good 200 with a small JSON body. */
export function testReply(parts: Partial<Reply> = {}): Reply {
  return {
    status: 200,
    statusText: 'OK',
    headers: [['content-type', 'application/json']],
    body: Buffer.from('{}'),
    url: new URL('https://api.example.com/items'),
    httpVersion: '1.1',
    verdict: { kind: 'good' },
    echoesSecret: false,
    ...parts,
  };
}
