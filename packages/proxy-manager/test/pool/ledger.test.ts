import { describe, test } from 'vitest';
import { memoryUsageStore } from '../../src/usage/memory.js';
import { assertAgreesWithModel } from '../usage/agreement.js';

describe('ledger', () => {
  test('chooses, counts, rests and gives back like the plain model, whatever happens in whatever order', async () => {
    await assertAgreesWithModel(async (clock) => memoryUsageStore({ clock }), { runs: 120, steps: 60 });
  });
});
