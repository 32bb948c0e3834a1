import type { OutcomeRule } from '../config/resolve.js';
import { header } from '../pipeline/headers.js';
import type { WireReply } from '../transport/transport.js';

/** As much of a body as is searched. */
const SEARCHED_BYTES = 262_144;

/** The first rule all of whose conditions hold; of a streamed body, which is not there yet, none holds. */
export function matchingRule(
  rules: readonly OutcomeRule[],
  { status, headers, body }: Pick<WireReply, 'body' | 'headers' | 'status'>,
): OutcomeRule | undefined {
  if (rules.length === 0) return undefined;
  let text: string | undefined;
  return rules.find((rule) => {
    if (rule.statuses !== undefined && !rule.statuses.has(status)) return false;
    const holds = ([name, pattern]: OutcomeRule['headers'][number]): boolean => {
      const value = header(headers, name);
      return value !== undefined && pattern.test(value);
    };
    if (!rule.headers.every(holds)) return false;
    if (rule.body === undefined && rule.size === undefined) return true;
    if (!(body instanceof Uint8Array)) return false;
    const { minBytes = 0, maxBytes = Infinity } = rule.size ?? {};
    if (body.byteLength < minBytes || body.byteLength > maxBytes) return false;
    if (rule.body === undefined) return true;
    text ??= Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, SEARCHED_BYTES)).toString();
    return rule.body.test(text);
  });
}
