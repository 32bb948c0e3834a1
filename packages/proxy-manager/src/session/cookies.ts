import type { CookieJar } from 'tough-cookie';
import type { HeaderList } from '../pipeline/headers.js';

/** The cookies of one session (RFC 6265), as a browser keeps them. */
export interface Cookies {
  /** What goes into the `Cookie` header of a request to `url`; empty: none. */
  for(url: URL): string;
  /** Takes over what a reply from `url` sets; false where it sets nothing. */
  keep(url: URL, headers: HeaderList): boolean;
  /** To open the same ones again. */
  save(): unknown;
}

/** `saved` is what `save` gave, or undefined for none. Loads tough-cookie. */
export async function openCookies(saved: unknown): Promise<Cookies> {
  const { CookieJar } = await import('tough-cookie');
  const jar: CookieJar =
    typeof saved === 'string' ? CookieJar.deserializeSync(saved) : new CookieJar(undefined, { looseMode: true });
  return {
    for: (url) => jar.getCookieStringSync(url.href),
    keep(url, headers) {
      const set = headers.filter(([name]) => name === 'set-cookie');
      // One that a browser would refuse, such as another site's, is left out.
      for (const [, value] of set) jar.setCookieSync(value, url.href, { ignoreError: true });
      return set.length > 0;
    },
    save: () => JSON.stringify(jar.serializeSync()),
  };
}
