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

test('a gathered record is in the file when its promise resolves, and when the log is closed right away', async () => {
  const directory = await logDirectory();
  const log = openExchangeLog({ directory, sinks: [] });
  await Promise.all([log.gather(aLine('1')), log.gather(aLine('2'))]);
  expect(spooledIds(directory)).toEqual(['1', '2']);
  const late = log.gather(aLine('3'));
  await log.close();
  await late;
  expect(spooledIds(directory)).toEqual(['1', '2', '3']);
});
