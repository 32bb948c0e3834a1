import { createHash } from 'node:crypto';

/** So much of an url is in a store's index; lmdb keys end at 1978 bytes. */
export const MOST_INDEXED = 500;

/** A tag as a store's index knows it: a long one by its hash. */
export function tagPlace(tag: string): string {
  return tag.length <= MOST_INDEXED ? tag : createHash('sha256').update(tag).digest('hex');
}

const PLACE_DIGITS = 13;

/**
 * A key as a number, its first 52 bits: many are on one page then. Two keys that share them are one in a million million
 * of caches; whoever reads compares the whole key.
 */
export function keyPlace(key: string): number {
  return Number.parseInt(key.slice(0, PLACE_DIGITS), 16);
}
