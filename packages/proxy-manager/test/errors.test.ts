import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { ConfigError, PoolExhaustedError } from '../src/errors.js';

function times(text: string, part: string): number {
  return text.split(part).length - 1;
}

test('a printed ConfigError says each mistake once', () => {
  const error = new ConfigError('./secrets.json', ['key_based.a: one mistake', 'key_based.b: another']);
  const printed = inspect(error);
  expect(times(printed, 'one mistake')).toBe(1);
  expect(times(printed, 'another')).toBe(1);
  expect(printed).toContain("code: 'ERR_CONFIG'");
  expect(error.problems).toEqual(['key_based.a: one mistake', 'key_based.b: another']);
});

test('a printed PoolExhaustedError says once why each credential rests', () => {
  const credential = { id: 'team-a', secretType: 'key', until: undefined, because: 'used 250 of 250' } as const;
  const error = new PoolExhaustedError('api', 'key', new Date(), [credential]);
  expect(times(inspect(error), 'used 250 of 250')).toBe(1);
  expect(error.credentials).toEqual([credential]);
});

test('a PoolExhaustedError has all credentials, and a line for the first twenty', () => {
  const credentials = Array.from({ length: 23 }, (_, n) => {
    return { id: `key-${n}`, secretType: 'key', until: undefined, because: 'used 5 of 5' } as const;
  });
  const { message, ...error } = new PoolExhaustedError('api', 'key', new Date(), credentials);
  expect(times(message, 'used 5 of 5')).toBe(20);
  expect(message).toMatch(/and 3 more; error\.credentials has them all$/);
  expect(new PoolExhaustedError('api', 'key', new Date(), credentials).credentials).toEqual(credentials);
  expect(Object.keys(error)).not.toContain('credentials');
});
