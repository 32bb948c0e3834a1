import { expect, test } from 'vitest';
import { assertSendable } from '../../src/doors/assert-sendable.js';
import { patternOf } from '../../src/pipeline/secret-pattern.js';
import { Secret } from '../../src/secret.js';
import { testExchange } from '../support/exchange.js';

const given = [patternOf(new Secret('a-key-that-was-given', 'id-1'))];
const { endpoint, pool, request } = testExchange();

test('a key that was given out is refused where none belongs, and the error does not show it', () => {
  const by = { door: 'fetch', endpoint, pool, isPinned: true, given, userAgent: undefined } as const;
  expect(() => assertSendable(request, by)).not.toThrow();
  const wrong = [
    () => assertSendable({ ...request, method: 'A-KEY-THAT-WAS-GIVEN' }, by),
    () => assertSendable(request, { ...by, userAgent: 'agent a-key-that-was-given' }),
  ];
  for (const [index, send] of wrong.entries()) {
    expect(send).toThrow(new RegExp(`^fetch: ${['method', 'userAgent'][index]}: expected the key in path`));
    expect(send).not.toThrow(/given/i);
  }
});
