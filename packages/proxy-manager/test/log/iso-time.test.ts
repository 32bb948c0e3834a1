import { expect, test } from 'vitest';
import { isoTime } from '../../src/log/iso-time.js';

test('writes every time as Date does, one that it has just written included', () => {
  const times = [0, 0.9, 1, 1.5, 1, 1_700_000_000_000, 1_700_000_000_000.75, 1_700_000_000_001, 0];
  expect(times.map(isoTime)).toEqual(times.map((ms) => new Date(ms).toISOString()));
});
