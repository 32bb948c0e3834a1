import type { Database, Key } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Gathered } from '../../src/cache/gather.js';
import { gather } from '../../src/cache/gather.js';
import type { Environment } from '../../src/embedded/environment.js';
import { scratchEnvironment } from './scratch.js';

describe('gathered changes', () => {
  let environment: Environment;
  let database: Database<string, Key>;
  let changes: Gathered;
  let transactions = 0;
  beforeEach(async () => {
    environment = await scratchEnvironment();
    database = await environment.openDatabase<string>({ name: 'cache', version: 1 });
    transactions = 0;
    changes = gather((work) => {
      transactions += 1;
      return environment.transact(work);
    });
  });
  afterEach(() => environment.close());

  function put(key: string, value: string): void {
    database.putSync(key, value);
  }

  test('share a transaction, and are there when they resolve', async () => {
    const writes = Array.from({ length: 20 }, (_, n) => changes.soon(() => put(`${n}`, 'here')));
    await writes[0];
    expect(database.get('19')).toBe('here');
    await Promise.all(writes);
    expect(transactions).toBe(1);
  });

  test('happen in their order, and at once with one that is asked for now', async () => {
    const order: string[] = [];
    const soon = changes.soon(() => void order.push('soon'));
    await changes.now(() => void order.push('now'));
    await soon;
    expect(order).toEqual(['soon', 'now']);
    expect(transactions).toBe(1);
  });

  test('do not wait for more of them than a transaction should hold', async () => {
    const writes = Array.from({ length: 160 }, (_, n) => changes.soon(() => put('n', `${n}`)));
    await Promise.all(writes);
    expect(transactions).toBe(5);
    expect(database.get('n')).toBe('159');
  });

  test('one that throws undoes itself and nobody else', async () => {
    const answers = await Promise.allSettled([
      changes.soon(() => put('a', 'here')),
      changes.soon(() => {
        put('b', 'here');
        throw new Error('changed my mind');
      }),
      changes.soon(() => database.get('b') ?? 'gone'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({ value: 'gone' });
    expect(database.get('a')).toBe('here');
  });
});
