import UserAgent from 'user-agents';
import { expect, test } from 'vitest';
import { drawnUserAgent } from '../../src/identity/drawn-user-agent.js';

const DRAWS = 20_000;

/** Numbers between 0 and 1, the same ones in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('draws as often as the weights say, which the length of an entry does not sway', () => {
  const entries = UserAgent.top();
  const weights = new Map<string, { sum: number; readonly entries: number }>();
  for (const { userAgent, weight } of entries) {
    const known = weights.get(userAgent) ?? { sum: 0, entries: 0 };
    weights.set(userAgent, { sum: known.sum + weight, entries: known.entries + 1 });
  }
  const random = numbers(1);
  const drawn = Array.from({ length: DRAWS }, () => drawnUserAgent(random) ?? 'none');
  expect(drawn.filter((userAgent) => !weights.has(userAgent))).toEqual([]);

  // A group for each kind of browser, whose entries differ in length, and one of those whose entries are heavy.
  const mean = 1 / entries.length;
  const isHeavy = (userAgent: string): boolean => {
    const { sum, entries: count } = weights.get(userAgent) ?? { sum: 0, entries: 1 };
    return sum / count > 1.15 * mean;
  };
  const groups = [/ Chrome\//, / Firefox\//, / Version\//, /Windows/, /Android/, /iPhone/].map(
    (word) => (userAgent: string) => word.test(userAgent),
  );
  for (const belongs of [...groups, isHeavy]) {
    const expected = [...weights].reduce((sum, [userAgent, one]) => sum + (belongs(userAgent) ? one.sum : 0), 0);
    const spread = Math.sqrt((expected * (1 - expected)) / DRAWS);
    expect(expected).toBeGreaterThan(0);
    expect(Math.abs(drawn.filter(belongs).length / DRAWS - expected)).toBeLessThan(4 * spread);
  }
});

test('gives up where it finds no entry, instead of looking for ever', () => {
  expect(drawnUserAgent(() => 0)).toBeUndefined();
});
