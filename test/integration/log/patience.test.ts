import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { expect, it } from 'vitest';
import { openExchangeLog } from '../../../packages/proxy-manager/src/log/open-exchange-log.js';
import { lineOf } from '../../../packages/proxy-manager/test/log/log-support.js';

const line = lineOf({ '@timestamp': new Date(0).toISOString(), event: { id: 'one' } });

async function logTo(
  { onTestFinished }: TestContext,
  ship: () => Promise<void>,
): Promise<ReturnType<typeof openExchangeLog>> {
  const directory = await mkdtemp(join(tmpdir(), 'proxy-manager-log-'));
  const log = openExchangeLog({
    directory,
    sinks: [{ name: 'test', ship, close: async () => {} }],
    onProblem: () => {},
  });
  onTestFinished(async () => {
    await log.close(1);
    await rm(directory, { recursive: true });
  });
  return log;
}

it.concurrent('waits longer than 5 s for a sink that is only slow', async (context) => {
  let isShipped = false;
  const log = await logTo(context, async () => {
    await delay(5_500);
    isShipped = true;
  });
  log.write(line);
  expect(await log.flush()).toBe(true);
  expect(isShipped).toBe(true);
});

it.concurrent('gives a sink that fails up after 5 s', async (context) => {
  const log = await logTo(context, () => Promise.reject(new Error('away')));
  log.write(line);
  const startedMs = performance.now();
  expect(await log.flush()).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
