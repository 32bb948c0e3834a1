import { expect, test } from 'vitest';
import { isoTime } from '../../src/log/iso-time.js';

test('writes every time as Date does, one of a minute that it has just written included', () => {
  const times = [0, 0.9, 1, 1.5, 59_999, 60_000, 1, 1_700_000_000_000, 1_700_000_000_000.75, 1_700_000_000_001, 0];
  const further = [-1, -60_000, -0.5, 253_402_300_799_999, 253_402_300_800_000, 951_782_400_000, 1_709_164_799_999];
  const minutes = Array.from({ length: 300 }, (_, n) => n * 60_007);
  for (const ms of [...times, ...further, ...minutes, ...times]) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});
