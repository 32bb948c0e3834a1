import fc from 'fast-check';
import { expect, it } from 'vitest';
import { conceal } from '../../src/pipeline/as-written.js';
import { SecretPattern } from '../../src/pipeline/secret-pattern.js';
import { Secret } from '../../src/secret.js';
import { testExchange } from '../support/exchange.js';

it('hides what the caller wrote from whoever looks, and gives the wire exactly that', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 30 }), fc.webPath(), (key, path) => {
      const pattern = new SecretPattern(new Secret(key, 'id-1'));
      const request = {
        ...testExchange().request,
        url: new URL(`https://api.example.com${path}?k=${encodeURIComponent(key)}`),
        headers: [
          ['x-other', 'value'],
          ['x-api-key', key],
        ] as const,
        auth: { username: key, password: '' },
        body: JSON.stringify({ key }),
      };
      const hidden = conceal(request, [pattern]);
      const added = { ...hidden, headers: [['user-agent', 'x'] as const, ...hidden.headers] };
      const restored = added.asWritten?.restore(added) ?? added;
      expect(restored.url.href).toBe(request.url.href);
      expect(restored.headers).toEqual([['user-agent', 'x'], ...request.headers]);
      expect(restored.auth).toEqual(request.auth);
      expect(restored.body).toBe(request.body);
    }),
    { numRuns: 30 },
  );
});

it('leaves a request without any secret as it is', () => {
  const { request } = testExchange();
  expect(conceal(request, [new SecretPattern(new Secret('a-secret-key', 'id-1'))])).toBe(request);
});
