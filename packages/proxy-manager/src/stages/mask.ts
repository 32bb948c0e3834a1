import type { Readable } from 'node:stream';
import { PLACEHOLDER } from '../pipeline/key-template.js';
import { TransportFault } from '../transport/fault.js';

/** Finds a key in what comes off the wire, raw and percent-encoded, and writes `{key}` in its place. */
export interface Masker {
  finds(content: string | Uint8Array | Readable): boolean;
  text(text: string): string;
  error(error: unknown): unknown;
}

const NOTHING: Masker = { finds: () => false, text: (text) => text, error: (error) => error };

export function masker(key: string | undefined): Masker {
  if (key === undefined || key === '') return NOTHING;
  const encoded = encodeURIComponent(key);
  const forms = encoded === key ? [key] : [key, encoded];
  const text = (content: string): string =>
    forms.reduce((masked, form) => masked.replaceAll(form, PLACEHOLDER), content);
  return {
    text,
    finds(content) {
      if (typeof content === 'string') return forms.some((form) => content.includes(form));
      if (!(content instanceof Uint8Array)) return false;
      const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
      return forms.some((form) => bytes.includes(form));
    },
    error(error) {
      if (!(error instanceof TransportFault) || !forms.some((form) => error.message.includes(form))) return error;
      return new TransportFault(error.code, text(error.message), error);
    },
  };
}
