/** Names of query parameters that hold a credential, without their `-` and `_`. */
const SECRET_NAME =
  /^(?:(?:x|api|app|access|auth|client|private|secret|subscription|consumer)*key|.*(?:token|secret|signature|credential|passwd|password|passphrase)|pass|pwd|sig|auth|authorization|jwt|sessionid)$/i;

const MAYBE_SECRET = /key|token|secret|sig|cred|pass|pwd|auth|jwt|session/i;

/** An url of which nothing is known, fit to be shown; undefined where it is none. */
export function publicUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return fullUrl(url, publicPairs(url.search));
}

/** The url without userinfo, with `publicSearch` for its query and the fragment fit to be shown, too. */
export function fullUrl(
  { href, protocol, username, password, host, pathname, search, hash }: URL,
  publicSearch: string,
): string {
  const publicHash = publicPairs(hash);
  if (username === '' && password === '' && publicSearch === search && publicHash === hash) return href;
  return `${protocol}//${host}${pathname}${publicSearch}${publicHash}`;
}

/** An url as its caller wrote it, with the same hidden as in `full`, which stands in for what cannot be read for sure. */
export function publicOriginal(written: string | undefined, full: string): string {
  if (written === undefined || written === '' || written === full || IGNORED.test(written)) return full;
  if (!MAYBE_SECRET.test(written)) return written;
  const [, path = '', search = '', hash = ''] = PARTS.exec(written) ?? [];
  return path + publicPairs(search) + publicPairs(hash);
}

/** What a parser of urls takes away, so that the name of a parameter need not stand there in one piece. */
const IGNORED = /[\0- ]/;

const PARTS = /^([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** `?a=b&c=d` with the values of secret parameters hidden; a placeholder of ours stays, it says more. */
export function publicPairs(pairs: string): string {
  if (pairs === '' || !MAYBE_SECRET.test(pairs)) return pairs;
  const shown = pairs
    .slice(1)
    .split('&')
    .map((pair) => {
      const end = pair.indexOf('=');
      const name = pair.slice(0, end).replaceAll(/[-_.]|%\w\w/g, '');
      return end === -1 || pair.includes('{key') || !SECRET_NAME.test(name) ? pair : `${pair.slice(0, end)}=***`;
    });
  return pairs.charAt(0) + shown.join('&');
}
