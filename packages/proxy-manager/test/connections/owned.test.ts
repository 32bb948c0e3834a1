import { expect, test } from 'vitest';
import { closeAll, owned } from '../../src/connections.js';

test('a client that could not be opened is opened anew by the next use', async () => {
  let isAway = true;
  let opened = 0;
  const connection = owned(
    async () => {
      if (isAway) throw new Error('away');
      opened += 1;
      return 'client';
    },
    async () => {},
  );
  await expect(connection.client()).rejects.toThrow('away');
  isAway = false;
  expect(await Promise.all([connection.client(), connection.client()])).toStrictEqual(['client', 'client']);
  expect(opened).toBe(1);
});

test('only what was opened is closed, also where it opens while it is being closed', async () => {
  const closed: string[] = [];
  const make = (open: () => Promise<string>): ReturnType<typeof owned<string>> =>
    owned(open, async (client) => void closed.push(client));
  const unused = make(async () => 'unused');
  await unused.close();

  const failing = make(() => Promise.reject(new Error('away')));
  const failed = failing.client();
  const closing = failing.close();
  await expect(failed).rejects.toThrow('away');
  await closing;
  await failing.close();

  const slow = make(async () => 'slow');
  void slow.client();
  await slow.close();
  expect(closed).toStrictEqual(['slow']);
});

test('one that fails or hangs in closing keeps no other open', async () => {
  const closed: string[] = [];
  const closing = closeAll(
    [
      { close: () => Promise.reject(new Error('broken')) },
      { close: () => new Promise(() => {}) },
      { close: async () => void closed.push('last') },
    ],
    20,
  );
  await expect(closing).rejects.toThrow('broken');
  expect(closed).toStrictEqual(['last']);
});
