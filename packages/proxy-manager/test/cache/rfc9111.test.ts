import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Case } from './rfc9111/case.js';
import { FIELDS } from './rfc9111/fields.js';
import { REUSE } from './rfc9111/reuse.js';
import { STALE } from './rfc9111/stale.js';
import { STORING } from './rfc9111/storing.js';
import { VALIDATION } from './rfc9111/validation.js';
import type { Stage } from './scenario.js';
import { openStage } from './scenario.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

const SECTIONS: readonly (readonly [string, readonly Case[]])[] = [
  ['RFC 9111 §3, storing', STORING],
  ['RFC 9111 §4, reusing', REUSE],
  ['RFC 9111 §4.3 and §4.4, validation and invalidation', VALIDATION],
  ['RFC 9111 §5, fields', FIELDS],
  ['RFC 5861, stale replies', STALE],
];

describe.each(SECTIONS)('%s', (_, cases) => {
  test.each(
    cases.map(([section, requirement, steps, policy]) => ({ name: `${section} ${requirement}`, steps, policy })),
  )('$name', async ({ steps, policy }) => {
    await expect(stage.play(steps, policy)).resolves.toBeUndefined();
  });
});
