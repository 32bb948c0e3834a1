// Anything of the caller's may be a key or a proxy that went to the wrong place. Errors end up in logs, so they show
// only what an ordinary slip looks like, and tell of all else that it is there.

/** A number, also with the unit that it may not have. */
const NUMBER = String.raw`[-+]?\d[\d.,_]{0,12}(?: ?(?:ms|s|m|h|d|min|minutes?|hours?|days?))?|NaN|-?Infinity`;
const WORDS = String.raw`[A-Za-z]?[a-z-]{0,19}`;

/** A found value that is meant to be a number. */
export const NUMERIC: RegExp = new RegExp(`^(?:${NUMBER})$`);

/** No string and no number. */
export const NOTHING: RegExp = /^(?!)/;

/** A found value that is meant to be one of a few words: `redsi`. */
export const WORD: RegExp = new RegExp(`^${WORDS}$`);

/** A found value that is meant to be either. */
export const PLAIN: RegExp = new RegExp(`^(?:${WORDS}|${NUMBER})$`);

/** A host with what does not belong to it: a scheme, a port, a path of short words such as `/v1`. */
export const HOST_LIKE: RegExp =
  /^(?=.{1,60}$)(?:https?:\/\/)?[\w.*-]+(?::\d{1,5})?(?:\/(?:[a-z]{1,8}|v\d{1,2}|\*)?)*$/;

// Letters only, as fields and headers are named, or so short that it is no key.
const FIELD = /^(?! )(?:[\p{L}_$. -]{1,24}|[\p{L}\d_$.-]{1,8})(?<! )$/u;
const ENDPOINT = /^(?! )[\p{L}\d_. -]{1,40}(?<! )$/u;

/** Many digits, or letters and digits in one long run. */
const KEY_LIKE = /^\d{6,}$|(?:\d\D*){8}|(?=[a-z]*\d)[a-z\d]{20}/i;

export function showsField(name: string): boolean {
  return FIELD.test(name);
}

export function showsEndpoint(name: string): boolean {
  return FIELD.test(name) || (ENDPOINT.test(name) && !KEY_LIKE.test(name));
}

/** Capitals, and with digits only where it is short or made of parts: a key behind `env:` has neither. */
export function showsVariable(name: string): boolean {
  return /^[A-Z_][A-Z\d_]{0,39}$/.test(name) && (name.length <= 8 || !/\d/.test(name) || /[A-Z]_/.test(name));
}

/** Whether a text given as a path looks like one, rather than like keys or the content of a secrets.json. */
export function showsPath(text: string): boolean {
  if (text.length > 200 || !/^(?:[A-Za-z]:(?=[\\/]))?(?:[\p{L}\d_.~() \\/-]|(?<=[\\/])@)*$/u.test(text)) return false;
  const segments = text.split(/[\\/]/);
  if (segments.some((segment) => segment.length > 64)) return false;
  return (
    /^(?:\.{0,2}|~|[A-Za-z]:)[\\/]/.test(text) ||
    /\.[a-z][a-z\d]{0,5}$/i.test(text) ||
    segments.every((segment) => /^[a-z_-]{1,24}$/.test(segment))
  );
}
