import { expect, test } from 'vitest';
import { breaker } from '../src/breaker.js';

function setUp() {
  const time = { ms: 0 };
  const guard = breaker(() => time.ms);
  const service = { calls: 0, up: false };
  const work = async (): Promise<string> => {
    service.calls++;
    if (!service.up) throw new Error('down');
    return 'answer';
  };
  return { time, service, guard, ask: () => guard.call(work).catch(() => 'failed') };
}

test('a service that is away is tried once per rest, and the rests double up to 30 s', async () => {
  const { time, service, ask } = setUp();
  const triedAtMs: number[] = [];
  for (; time.ms <= 120_000; time.ms += 100) {
    if ((await ask()) === 'failed') triedAtMs.push(time.ms);
  }
  expect(triedAtMs).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 61_500, 91_500]);
  expect(service.calls).toBe(triedAtMs.length);
});

test('calls that fail together count once', async () => {
  const { time, service, ask } = setUp();
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(['failed', 'failed', 'failed']);
  time.ms = 499;
  expect(await ask()).toBeUndefined();
  time.ms = 500;
  service.up = true;
  expect(await ask()).toBe('answer');
});

test('one call tries while the others rest, and its success closes the breaker', async () => {
  const { time, service, ask, guard } = setUp();
  await ask();
  time.ms = 500;
  service.up = true;
  let answer: (text: string) => void = () => {};
  const trying = guard.call(() => new Promise<string>((resolve) => (answer = resolve)));
  expect(await ask()).toBeUndefined();
  answer('late');
  expect(await trying).toBe('late');
  expect(await ask()).toBe('answer');
});

test('after a success the first rest is short again', async () => {
  const { time, service, ask } = setUp();
  await ask();
  time.ms = 500;
  await ask();
  time.ms = 1500;
  service.up = true;
  await ask();
  service.up = false;
  expect(await ask()).toBe('failed');
  time.ms = 2000;
  expect(await ask()).toBe('failed');
});

test('a call that fails while others succeed opens nothing', async () => {
  const { service, ask, guard } = setUp();
  service.up = true;
  let fail: (error: Error) => void = () => {};
  const slow = guard.call(() => new Promise<string>((_resolve, reject) => (fail = reject))).catch(() => 'failed');
  expect(await ask()).toBe('answer');
  fail(new Error('late'));
  expect(await slow).toBe('failed');
  expect(await ask()).toBe('answer');
});
