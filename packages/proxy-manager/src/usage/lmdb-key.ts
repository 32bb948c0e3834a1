import { createHash } from 'node:crypto';

/** Names of any length and content as part of a key, which lmdb bounds and separates by NUL. */
export function keyPart(text: string): string {
  if (text.length <= 128 && !text.includes('\0')) return text;
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
