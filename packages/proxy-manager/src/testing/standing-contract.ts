import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Noted, Standing, StandingEvent } from '../pool/standing.js';
import type { Bench, Check } from './usage-contract.js';

const MINUTE_MS = 60_000;
/** Its first rung is over within a test, the second is not. */
const LADDER_MS = [500, 10 * MINUTE_MS, 60 * MINUTE_MS];

const strike = (more: Partial<Extract<StandingEvent, { kind: 'strike' }>> = {}): StandingEvent => ({
  kind: 'strike',
  ladderMs: LADDER_MS,
  why: 'throttled (status 429)',
  ...more,
});

/** What every StandingStore must do. */
export function standingContract(check: Check): void {
  check('a strike rests somebody for its rung of the ladder, and those under way meanwhile add none', async (bench) => {
    const note = notesIn(bench);
    for (const rung of [0, 1]) {
      const before = bench.now();
      const first = await note(strike());
      assert.equal(first.changed, true);
      assertRest(first.standing, { strikes: rung + 1, from: before, to: bench.now(), restMs: LADDER_MS[rung] ?? 0 });
      assert.deepEqual(await note(strike({ why: 'another' })), { standing: first.standing, changed: false });
      assert.deepEqual(await note({ kind: 'calm' }), { standing: first.standing, changed: false });
      if (rung === 0) await bench.until(first.standing?.untilMs ?? 0);
    }
  });

  check('a time that was told takes the place of the rung, and only lengthens a rest', async (bench) => {
    const note = notesIn(bench);
    const untilMs = bench.now() + 30 * MINUTE_MS;
    const told = await note(strike({ untilMs }));
    assert.deepEqual(told.standing, { strikes: 1, untilMs, held: false, why: 'throttled (status 429)' });
    assert.equal((await note(strike({ untilMs: untilMs - 1 }))).changed, false);
    const longer = await note(strike({ untilMs: untilMs + 1, why: 'spent' }));
    assert.deepEqual(longer, {
      standing: { strikes: 1, untilMs: untilMs + 1, held: false, why: 'spent' },
      changed: true,
    });
  });

  check('success calms: the strikes are halved, and the last one is forgotten', async (bench) => {
    const note = notesIn(bench);
    const at = strike({ ladderMs: [0] });
    for (let n = 0; n < 5; n += 1) await note(at);
    const strikes = [];
    for (let n = 0; n < 4; n += 1) strikes.push((await note({ kind: 'calm' })).standing?.strikes);
    assert.deepEqual(strikes, [2, 1, undefined, undefined]);
    assert.deepEqual(await note({ kind: 'calm' }), { standing: undefined, changed: false });
    await note(strike());
    assert.deepEqual(await note({ kind: 'clear' }), { standing: undefined, changed: true });
    assert.deepEqual([...(await bench.store.standings(note.book))], []);
  });

  check('who is held comes back by a trial, which one alone makes', async (bench) => {
    const note = notesIn(bench);
    const struck = await note(strike({ held: true }));
    assert.equal((await note({ kind: 'claim', forMs: MINUTE_MS })).changed, false);
    await bench.until(struck.standing?.untilMs ?? 0);
    assert.equal((await note({ kind: 'calm' })).changed, false);
    const claims = await Promise.all([1, 2, 3].map(() => note({ kind: 'claim', forMs: MINUTE_MS })));
    assert.equal(claims.filter(({ changed }) => changed).length, 1);
    const again = await note(strike({ held: true, claimed: true }));
    assert.equal(again.standing?.strikes, 2);
    assert.ok(again.standing.untilMs >= bench.now() + (LADDER_MS[1] ?? 0) - MINUTE_MS);
    const back = await note({ kind: 'back' });
    assert.deepEqual([back.standing?.held, back.standing?.strikes], [false, 2]);
    assert.ok((back.standing?.untilMs ?? Infinity) <= bench.now());
    assert.deepEqual((await note({ kind: 'calm' })).standing?.strikes, 1);
  });

  check('books and ids of any content are told apart', async ({ store }) => {
    const stem = randomUUID();
    const books = [stem, `${stem} `, `${stem}:a`, `${stem}{a}`, `${stem}\n`, `${stem}${'x'.repeat(2_000)}`];
    const ids = ['a', 'b', 'a b', ' ', '-', '1 2 0 x', `${'y'.repeat(2_000)}1`, 'ü', '127.0.0.1:80#00ff'];
    const expected = new Map<string, string>();
    for (const book of books) {
      for (const id of ids) {
        expected.set(`${book} ${id}`, `why ${expected.size}\n`);
        await store.note(book, id, strike({ why: `why ${expected.size - 1}\n` }));
      }
    }
    for (const book of books) {
      const found = await store.standings(book);
      assert.deepEqual([...found.keys()].toSorted(), ids.toSorted());
      for (const [id, { why }] of found) assert.equal(why, expected.get(`${book} ${id}`));
    }
  });

  check('strikes that are noted at once all count where nobody rests', async (bench) => {
    const note = notesIn(bench);
    await Promise.all(Array.from({ length: 20 }, () => note(strike({ ladderMs: [0] }))));
    assert.equal((await bench.store.standings(note.book)).get('somebody')?.strikes, 20);
  });
}

/** Notes events about one somebody in a book of its own. */
function notesIn({ store }: Bench): ((event: StandingEvent) => Promise<Noted>) & { readonly book: string } {
  const book = `book ${randomUUID()}`;
  return Object.assign((event: StandingEvent) => store.note(book, 'somebody', event), { book });
}

function assertRest(
  standing: Standing | undefined,
  expected: { readonly strikes: number; readonly from: number; readonly to: number; readonly restMs: number },
): void {
  assert.equal(standing?.strikes, expected.strikes);
  const { untilMs } = standing;
  assert.ok(
    untilMs >= expected.from + expected.restMs && untilMs <= expected.to + expected.restMs,
    `expected a rest of ${expected.restMs} ms, found one until ${untilMs}`,
  );
}
