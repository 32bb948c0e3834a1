import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { within } from '../../src/cache/within-budget.js';

test('who never answers is given up, and told', async () => {
  let told = false;
  const startedMs = performance.now();
  const asking = within(120, (signal) => {
    signal.addEventListener('abort', () => (told = true));
    return new Promise(() => {});
  });
  await expect(asking).rejects.toThrow('no answer within 120 ms');
  expect(told).toBe(true);
  expect(performance.now() - startedMs).toBeGreaterThan(100);
});

test('what keeps this process busy makes nobody late', async () => {
  const asking = within(200, async () => {
    await delay(1);
    // Only now it is on its way.
    await delay(1);
    return 'answer';
  });
  const startedMs = performance.now();
  while (performance.now() - startedMs < 300);
  expect(await asking).toBe('answer');
});
