import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@elastic/elasticsearch';
import { expect, onTestFinished, test } from 'vitest';
import { elasticsearchSink } from '../../src/log/elasticsearch.js';
import { ensureAssets } from '../../src/log/install-assets.js';
import { openExchangeLog } from '../../src/log/open-exchange-log.js';
import { aLine, logDirectory } from './log-support.js';

/** A client of a server that takes requests and never answers; `open` counts those that were not given up. */
async function silentElasticsearch(): Promise<{ client: Client; requests: { open: number } }> {
  const requests = { open: 0 };
  const server = createServer((_, response) => {
    requests.open += 1;
    response.on('close', () => (requests.open -= 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const client = new Client({ node: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, maxRetries: 0 });
  return { client, requests };
}

test.each([true, false])(
  'closing does not wait for a silent Elasticsearch (installAssets: %s)',
  async (installAssets) => {
    const { client } = await silentElasticsearch();
    const log = openExchangeLog({
      directory: await logDirectory(),
      sinks: [elasticsearchSink({ client: async () => client, installAssets })],
      onProblem: () => {},
    });
    log.write(aLine('1'));
    const startedMs = performance.now();
    await log.close(200);
    await client.close();
    expect(performance.now() - startedMs).toBeLessThan(2000);
  },
);

test('whoever waits for the assets may leave; the last one takes the request along', async () => {
  const { client, requests } = await silentElasticsearch();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = ensureAssets(client, one.signal);
  const second = ensureAssets(client, two.signal);
  await expect.poll(() => requests.open).toBe(1);
  one.abort(new Error('I leave'));
  await expect(first).rejects.toThrow('I leave');
  expect(requests.open).toBe(1);
  two.abort(new Error('me too'));
  await expect(second).rejects.toThrow('me too');
  await expect.poll(() => requests.open).toBe(0);
  await client.close();
});

test('a signal that is aborted already sends nothing', async () => {
  const { client, requests } = await silentElasticsearch();
  await expect(ensureAssets(client, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  expect(requests.open).toBe(0);
  await client.close();
});
