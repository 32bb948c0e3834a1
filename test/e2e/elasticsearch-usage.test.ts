import { randomUUID } from 'node:crypto';
import { Client } from '@elastic/elasticsearch';
import { ConfigError, ProxyManager } from 'proxy-manager';
import { expect, it, onTestFinished } from 'vitest';
import { startElasticsearch } from '../services/elasticsearch.js';
import { startApi } from './support/api.js';
import { startManager, tempDir } from './support/workspace.js';

const placed = { headers: { 'x-api-key': '{key}' } };
const usage = 'elasticsearch';

it('shares its counts between machines where that is asked for: two data directories, one Elasticsearch', async () => {
  const api = await startApi();
  const endpoint = `api-${randomUUID()}`;
  const secrets = { key_based: { [endpoint]: { limit: 10, refresh_rate: 60, keys: ['key-one', 'key-two'] } } };
  const elasticsearch = String(process.env['ELASTICSEARCH_URL']);
  const machines = [
    startManager({ secrets, elasticsearch, usage }),
    startManager({ secrets, elasticsearch: clientOf(elasticsearch), usage }),
  ];
  const sends = machines.flatMap((manager) =>
    Array.from({ length: 15 }, () => manager.request(endpoint).send(api.url, placed)),
  );
  const settled = await Promise.allSettled(sends);
  const refused = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  const exhausted = expect.objectContaining({ code: 'ERR_POOL_EXHAUSTED' }) as unknown;
  expect(refused).toEqual(Array.from({ length: 10 }, () => exhausted));
  expect(api.countBy('x-api-key')).toEqual(
    new Map([
      ['key-one', 10],
      ['key-two', 10],
    ]),
  );
});

it('when Elasticsearch is gone sends nothing uncounted, or counts here where that is asked for, and counts on when it is back', async () => {
  const api = await startApi();
  const elasticsearch = await startElasticsearch();
  try {
    const secrets = { key_based: { test_api: { limit: 10, refresh_rate: 60, keys: ['key-one'] } } };
    const url = elasticsearch.url.replace('//', '//user:pass-of-the-store@');
    const strict = startManager({ secrets, elasticsearch: url, usage });
    const lenient = startManager({ secrets, elasticsearch: url, usage, onStoreFailure: 'local' });
    const usedOf = async (manager: ProxyManager): Promise<number | undefined> =>
      (await manager.usage('test_api'))[0]?.windows[0]?.used;
    for (const manager of [strict, lenient]) await manager.request('test_api').send(api.url, placed);
    expect(await usedOf(strict)).toBe(2);

    await elasticsearch.kill();
    const fault: unknown = await strict
      .request('test_api')
      .send(api.url, placed)
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'ERR_STORE', message: expect.stringContaining('elasticsearch') });
    expect(String(fault)).not.toContain('pass-of-the-store');
    expect(api.hits).toHaveLength(2);
    await Promise.all(Array.from({ length: 4 }, () => lenient.request('test_api').send(api.url, placed)));
    expect(await usedOf(lenient)).toBe(4);

    await elasticsearch.start();
    await expect.poll(() => usedOf(strict).catch(() => undefined), { timeout: 20_000 }).toBe(2);
    await strict.request('test_api').send(api.url, placed);
    await expect.poll(() => usedOf(lenient), { timeout: 40_000 }).toBe(3);
  } finally {
    await elasticsearch.stop();
  }
});

it('wants the option elasticsearch, too, and is never chosen unless it is named', async () => {
  const api = await startApi();
  const secrets = { key_based: { test_api: { limit: 10, refresh_rate: 60, keys: ['key-one'] } } };
  expect(() => new ProxyManager({ secrets, usage, dataDir: tempDir() })).toThrow(ConfigError);
  // Nobody listens there: an embedded count does not mind.
  const manager = startManager({ secrets, elasticsearch: 'http://127.0.0.1:9' });
  expect((await manager.request('test_api').send(api.url, placed)).status).toBe(200);
});

function clientOf(node: string): Client {
  const client = new Client({ node });
  onTestFinished(() => client.close());
  return client;
}
