import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodeRecord } from '../../src/pool/node-record.js';
import type { Batch } from '../../src/pool/window.js';
import { changed, changeOf, FRESH, wholeOf } from '../../src/usage/record-change.js';

const batches = fc
  .uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 })
  .chain((ids) =>
    fc.tuple(
      ...ids
        .toSorted((a, b) => a - b)
        .map((id) =>
          fc
            .constantFrom(1, 1, 2)
            .map((used): Batch => ({ id, opener: id, openedAtMs: id, endsAtMs: id + used, used })),
        ),
    ),
  );
const windows = fc
  .subarray(['every:1', 'within:2', 'per:day:UTC'])
  .chain((names) => fc.tuple(...names.map((name) => batches.map((list) => ({ name, batches: list })))));
const record: fc.Arbitrary<NodeRecord> = fc.record({
  total: fc.nat({ max: 2 }),
  lastTake: fc.nat({ max: 2 }),
  restUntilMs: fc.nat({ max: 2 }),
  windows,
});

const told = ({ windows: all, ...rest }: NodeRecord): unknown => ({
  ...rest,
  windows: all.filter((window) => window.batches.length > 0).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

test('who knows a record and is told of a change has what it has become', () => {
  fc.assert(
    fc.property(record, record, (before, after) => {
      const change = changeOf('a', before, after);
      expect(told(change === undefined ? before : changed(before, change))).toEqual(told(after));
      expect(told(changed(FRESH, wholeOf('a', after)))).toEqual(told(after));
    }),
    { numRuns: 2_000 },
  );
});

test('of a sliding window only what is new is told', () => {
  const batch = (id: number, used = 1): Batch => ({ id, opener: id, openedAtMs: id, endsAtMs: id + 100, used });
  const within = (list: Batch[]): NodeRecord => ({ ...FRESH, windows: [{ name: 'within:100', batches: list }] });
  const before = within([batch(1), batch(2), batch(3)]);
  expect(changeOf('a', before, within([batch(2), batch(3), batch(4)]))).toEqual([
    'a',
    0,
    0,
    0,
    ['within:100', 2, 4, 4, 4, 104, 1],
  ]);
  expect(changeOf('a', before, within([batch(2), batch(3)]))).toEqual(['a', 0, 0, 0, ['within:100', 2]]);
  expect(changeOf('a', before, within([batch(1), batch(2), batch(3)]))).toBeUndefined();
});
