import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CalendarPeriod } from '../../src/config/resolve.js';
import { LONGEST_PERIOD_MS } from '../../src/config/window-length.js';
import { calendar } from '../../src/pool/calendar.js';

const HOUR_MS = 3_600_000;

describe('calendar periods', () => {
  test.each<[CalendarPeriod, string, string, string, string]>([
    ['minute', 'UTC', '2026-06-10T10:20:30.500Z', '2026-06-10T10:20:00Z', '2026-06-10T10:21:00Z'],
    ['hour', 'UTC', '2026-06-10T10:20:30Z', '2026-06-10T10:00:00Z', '2026-06-10T11:00:00Z'],
    ['hour', 'Asia/Kathmandu', '2026-06-10T10:20:30Z', '2026-06-10T10:15:00Z', '2026-06-10T11:15:00Z'],
    ['day', 'UTC', '2026-06-10T00:00:00Z', '2026-06-10T00:00:00Z', '2026-06-11T00:00:00Z'],
    ['day', 'America/Los_Angeles', '2026-06-10T06:59:59.999Z', '2026-06-09T07:00:00Z', '2026-06-10T07:00:00Z'],
    // A week begins on Monday.
    ['week', 'UTC', '2026-06-14T23:00:00Z', '2026-06-08T00:00:00Z', '2026-06-15T00:00:00Z'],
    ['week', 'Europe/Berlin', '2026-06-14T22:30:00Z', '2026-06-14T22:00:00Z', '2026-06-21T22:00:00Z'],
    ['month', 'America/Los_Angeles', '2026-03-01T07:00:00Z', '2026-02-01T08:00:00Z', '2026-03-01T08:00:00Z'],
    ['month', 'UTC', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['year', 'Asia/Tokyo', '2026-12-31T15:00:00Z', '2026-12-31T15:00:00Z', '2027-12-31T15:00:00Z'],
    // The clocks go forward: a day of 23 hours; a month in which they do.
    ['day', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z'],
    ['month', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-01T05:00:00Z', '2026-04-01T04:00:00Z'],
    // The clocks go back: a day of 25 hours, and the hour between one and two twice.
    ['day', 'America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
    ['hour', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T05:00:00Z', '2026-11-01T06:00:00Z'],
    ['hour', 'America/New_York', '2026-11-01T06:30:00Z', '2026-11-01T06:00:00Z', '2026-11-01T07:00:00Z'],
    // There is no midnight; there are two; it is yesterday again.
    ['day', 'Asia/Beirut', '2026-03-29T12:00:00Z', '2026-03-28T22:00:00Z', '2026-03-29T21:00:00Z'],
    ['day', 'America/Havana', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z'],
    ['day', 'America/Sao_Paulo', '2018-02-18T02:30:00Z', '2018-02-17T02:00:00Z', '2018-02-18T03:00:00Z'],
    // There is no such day.
    ['day', 'Pacific/Apia', '2011-12-30T09:00:00Z', '2011-12-29T10:00:00Z', '2011-12-30T10:00:00Z'],
  ])('%s in %s at %s', (per, timezone, at, start, end) => {
    const { startMs, endMs } = calendar(per, timezone)(Date.parse(at));
    expect([new Date(startMs).toISOString(), new Date(endMs).toISOString()]).toEqual(
      [start, end].map((text) => new Date(text).toISOString()),
    );
  });

  test('follow each other without a gap, whatever the clocks do', () => {
    const zones = ['UTC', 'America/New_York', 'Europe/Dublin', 'Asia/Beirut', 'America/Havana', 'Africa/Casablanca'];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom<CalendarPeriod>('minute', 'hour', 'day', 'week', 'month', 'year'),
        fc.integer({ min: Date.UTC(2000, 0) / HOUR_MS, max: Date.UTC(2035, 0) / HOUR_MS }),
        (timezone, per, hours) => {
          const periodAt = calendar(per, timezone);
          const { startMs, endMs } = periodAt(hours * HOUR_MS);
          expect(startMs).toBeLessThanOrEqual(hours * HOUR_MS);
          expect(endMs).toBeGreaterThan(hours * HOUR_MS);
          expect(endMs - startMs).toBeLessThanOrEqual(LONGEST_PERIOD_MS[per]);
          expect(periodAt(endMs).startMs).toBe(endMs);
          expect(periodAt(startMs - 1).endMs).toBe(startMs);
        },
      ),
      { numRuns: 300 },
    );
  });
});
