import { createHash } from 'node:crypto';

/** So much of an url is in a store's index; lmdb keys end at 1978 bytes. */
export const MOST_INDEXED = 500;

/** A tag as a store's index knows it: a long one by its hash. */
export function tagPlace(tag: string): string {
  return tag.length <= MOST_INDEXED ? tag : createHash('sha256').update(tag).digest('hex');
}
