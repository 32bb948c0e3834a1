import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { ExchangeSink } from '../log/exchange-log.js';

export interface SinkContract {
  /** vitest's, node:test's or anyone's. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A sink on the place under test, and the `event.id`s that are there among `ids`: one that is there twice is given twice. */
  readonly open: () => Promise<{
    readonly sink: ExchangeSink;
    readonly stored: (ids: readonly string[]) => Promise<readonly string[]>;
  }>;
  /** True where a record that comes again is stored once. */
  readonly idempotent: boolean;
}

/** What every ExchangeSink must do, as tests of any runner with a `test(name, body)`. */
export function sinkContract({ test, open, idempotent }: SinkContract): void {
  type Opened = Awaited<ReturnType<typeof open>>;
  const never = new AbortController().signal;
  const check = (name: string, body: (opened: Opened) => Promise<void>): void => {
    test(name, async () => {
      const opened = await open();
      try {
        await body(opened);
      } finally {
        await opened.sink.close();
      }
    });
  };
  const assertStored = async ({ stored }: Opened, records: readonly Sample[]): Promise<void> => {
    const ids = records.map(({ id }) => id);
    assert.deepEqual((await stored(ids)).toSorted(), ids.toSorted());
  };

  check('has a name, which its place in the log is kept under', async ({ sink }) => {
    assert.match(sink.name, /^[\w-]+$/);
  });

  check('what ship resolves for is there', async (opened) => {
    const records = samples(3);
    await opened.sink.ship(linesOf(records), never);
    await assertStored(opened, records);
  });

  check('an empty batch is no fault', async ({ sink }) => {
    await sink.ship([], never);
  });

  check('a whole batch of a thousand arrives, whatever its text is', async (opened) => {
    const records = samples(1000, 'ünï©ödé 🧪 "quoted" \\ \u2028 line\nbreak {key}');
    await opened.sink.ship(linesOf(records), never);
    await assertStored(opened, records);
  });

  check('batches at the same time do not disturb each other', async (opened) => {
    const batches = [samples(50), samples(50), samples(50)];
    await Promise.all(batches.map((batch) => opened.sink.ship(linesOf(batch), never)));
    await assertStored(opened, batches.flat());
  });

  if (idempotent) {
    check('what comes twice is there once', async (opened) => {
      const records = samples(5);
      await opened.sink.ship(linesOf(records), never);
      await opened.sink.ship(linesOf([...records, ...samples(1)]), never);
      await assertStored(opened, records);
    });
  }

  check('an aborted ship ends, and the same batch can be shipped again', async (opened) => {
    const records = samples(20);
    const aborting = new AbortController();
    const first = opened.sink.ship(linesOf(records), aborting.signal);
    aborting.abort(new Error('enough'));
    await first.catch(() => {});
    if (!idempotent) return;
    await opened.sink.ship(linesOf(records), never);
    await assertStored(opened, records);
  });

  check('a line that is no record does not hold up the others', async (opened) => {
    const records = samples(2);
    const [first = '', second = ''] = linesOf(records);
    await opened.sink.ship([first, '{"event":{"id":"torn}', second], never);
    await assertStored(opened, records);
  });

  check('close may be called twice', async ({ sink }) => {
    await sink.close();
  });
}

interface Sample {
  readonly '@timestamp': string;
  readonly id: string;
  readonly message: string;
}

function samples(count: number, message = 'contract'): Sample[] {
  return Array.from({ length: count }, () => ({ '@timestamp': new Date().toISOString(), id: randomUUID(), message }));
}

function linesOf(records: readonly Sample[]): string[] {
  return records.map(({ id, message, '@timestamp': time }) =>
    JSON.stringify({ '@timestamp': time, message, event: { id } }),
  );
}
