import { header } from '../pipeline/headers.js';
import type { WireReply } from '../transport/transport.js';

/** A wall is a short page; what is longer is the page itself, which may well speak of captchas. */
const LONGEST_WALL_BYTES = 65_536;

/** What stands in the pages of walls and not in those behind them, which hold the walls' scripts as well. */
const SIGNS: readonly (readonly [name: string, text: string])[] = [
  ['Cloudflare', '<title>Just a moment...</title>'],
  ['Cloudflare', 'https://challenges.cloudflare.com/cdn-cgi/challenge-platform/'],
  ['DataDome', "'host':'geo.captcha-delivery.com'"],
  ['Imperva', 'main-iframe" src="/_Incapsula_Resource'],
  ['Imperva', '<title>Pardon Our Interruption'],
  ['HUMAN', 'id="px-captcha"'],
  ['Google', 'id="captcha-form" action="index"'],
  ['Amazon', 'action="/errors/validateCaptcha"'],
];

/** Whose wall against bots the reply is, whatever its status; undefined where it looks like none. */
export function botWall({ headers, body }: Pick<WireReply, 'body' | 'headers'>): string | undefined {
  if (header(headers, 'cf-mitigated') === 'challenge') return 'Cloudflare';
  if (!(body instanceof Uint8Array) || body.length === 0 || body.length > LONGEST_WALL_BYTES) return undefined;
  if (!/html/i.test(header(headers, 'content-type') ?? '')) return undefined;
  const page = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return SIGNS.find(([, text]) => page.includes(text, 0, 'latin1'))?.[0];
}
