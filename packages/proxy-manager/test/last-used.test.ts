import { expect, it } from 'vitest';
import { lastUsed } from '../src/last-used.js';

it('keeps as many as it may, those last used', () => {
  const kept = lastUsed<number>(2);
  kept.set('a', 1).set('b', 2);
  kept.get('a');
  kept.set('c', 3);
  expect([...kept.keys()].toSorted()).toEqual(['a', 'c']);
});
