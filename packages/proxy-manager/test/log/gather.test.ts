import { expect, test } from 'vitest';
import { gathering } from '../../src/log/gather.js';
import { openExchangeLog } from '../../src/log/open-exchange-log.js';
import { aLine, logDirectory, spooledIds } from './log-support.js';

test('what comes in one turn is put at once, before anyone is told', async () => {
  const puts: (readonly string[])[] = [];
  const gathered = gathering<string>((items) => puts.push(items));
  const told = ['a', 'b'].map((item) => gathered.add(item).then(() => puts.length));
  expect(puts).toEqual([]);
  expect(await Promise.all(told)).toEqual([1, 1]);
  await gathered.add('c');
  expect(puts).toEqual([['a', 'b'], ['c']]);
});

test('what was put early is not put again', async () => {
  const puts: (readonly string[])[] = [];
  const gathered = gathering<string>((items) => puts.push(items));
  const told = gathered.add('a');
  gathered.putNow();
  await told;
  const next = gathered.add('b');
  await new Promise(setImmediate);
  await next;
  expect(puts).toEqual([['a'], ['b']]);
});

test('what waits for no turn is put with the others of its tick, before the loop goes on', async () => {
  const puts: (readonly string[])[] = [];
  const gathered = gathering<string>((items) => puts.push(items));
  let turns = 0;
  setImmediate(() => turns++);
  const told = ['a', 'b'].map((item) => gathered.add(item, 'tick').then(() => puts.length));
  expect(puts).toEqual([]);
  expect(await Promise.all(told)).toEqual([1, 1]);
  await gathered.add('c', 'tick');
  expect(puts).toEqual([['a', 'b'], ['c']]);
  expect(turns).toBe(0);
});

test('however much waits for no turn, sockets and timers get theirs', async () => {
  const gathered = gathering<string>(() => {});
  let ticks = 0;
  let ticksBefore = Infinity;
  setImmediate(() => {
    ticksBefore = ticks;
  });
  while (ticks < 1000) {
    ticks += 1;
    await gathered.add('a', 'tick');
  }
  expect(ticksBefore).toBeGreaterThan(1);
  expect(ticksBefore).toBeLessThan(100);
});

test('a gathered record is in the file when its promise resolves, and when the log is closed right away', async () => {
  const directory = await logDirectory();
  const log = openExchangeLog({ directory, sinks: [] });
  await Promise.all([log.gather(aLine('0'), 'tick'), log.gather(aLine('1'))]);
  await log.gather(aLine('2'), 'tick');
  expect(spooledIds(directory)).toEqual(['0', '1', '2']);
  const late = log.gather(aLine('3'));
  await log.close();
  await late;
  expect(spooledIds(directory)).toEqual(['0', '1', '2', '3']);
});
