import { createHash } from 'node:crypto';

const DIGEST = /(?:^|\s)sha(256|384|512)-([\w+/-]+)={0,2}(?=[?\s]|$)/gi;

/**
 * Whether `bytes` are those that `integrity` names (W3C Subresource Integrity): one of its digests of the strongest kind
 * must be theirs. What names no digest that is known forbids nothing.
 */
export function isIntact(bytes: Uint8Array, integrity: string): boolean {
  const digests = [...integrity.matchAll(DIGEST)].map(([, bits = '', digest = '']) => ({ bits, digest }));
  const strongest = digests.reduce((most, { bits }) => (bits > most ? bits : most), '');
  if (strongest === '') return true;
  const found = createHash(`sha${strongest}`).update(bytes).digest('base64url');
  return digests.some(
    ({ bits, digest }) => bits === strongest && digest.replaceAll('+', '-').replaceAll('/', '_') === found,
  );
}
