import { randomBytes } from 'node:crypto';

/** Crockford's base 32: its letters sort as their values do. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 50 random bits that no other thread or process shares: together with the count they make an id unique. */
const WRITER = Array.from(randomBytes(10), (byte) => ALPHABET[byte & 31]).join('');

let lastMs = -1;
let lastTime = '';
let count = 0;
/** Of the count, all but the last two digits. */
let lastHigh = -1;
let lastDigits = '';

/** A new id in the form of a ULID: it sorts by `nowMs` (epoch), then by the order of the calls. */
export function eventId(nowMs: number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs;
    lastTime = base32(Math.max(0, nowMs), 10);
  }
  count = (count + 1) % 2 ** 30;
  const high = count >>> 10;
  if (high !== lastHigh) {
    lastHigh = high;
    lastDigits = base32(high, 4);
  }
  return lastTime + lastDigits + ALPHABET.charAt((count >>> 5) & 31) + ALPHABET.charAt(count & 31) + WRITER;
}

let sequence = 0;

/** Members of ECS `event` that tell a record from all others, and where it stands among those of this thread. */
export function eventMembers(nowMs: number): string {
  sequence += 1;
  return `"id":"${eventId(nowMs)}","sequence":${sequence}`;
}

function base32(value: number, length: number): string {
  let text = '';
  for (let rest = Math.floor(value); text.length < length; rest = Math.floor(rest / 32)) {
    text = ALPHABET.charAt(rest % 32) + text;
  }
  return text;
}
