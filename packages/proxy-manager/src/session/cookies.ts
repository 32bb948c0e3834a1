import type { Cookie, CookieJar } from 'tough-cookie';
import type { HeaderList } from '../pipeline/headers.js';

/** As browsers bound them, which no server may rely on: of one site, and of the name and value of one in bytes. */
const MOST_OF_SITE = 180;
const MOST_BYTES = 4096;

/** The cookies of one session (RFC 6265), as a browser keeps them. */
export interface Cookies {
  /** What goes into the `Cookie` header of a request to `url`; empty: none. */
  for(url: URL): string;
  /** Takes over what a reply from `url` sets; false where it sets nothing. What `holdsSecret` is kept, and not saved. */
  keep(url: URL, headers: HeaderList, holdsSecret: (text: string) => boolean): boolean;
  /** To open the same ones again. */
  save(): unknown;
}

/** `saved` is what `save` gave, or undefined for none. Loads tough-cookie. */
export async function openCookies(saved: unknown): Promise<Cookies> {
  const { CookieJar } = await import('tough-cookie');
  const jar: CookieJar =
    typeof saved === 'string' ? CookieJar.deserializeSync(saved) : new CookieJar(undefined, { looseMode: true });
  /** Of those that a server has put a key into. */
  const secret = new Set<string>();
  return {
    for: (url) => jar.getCookieStringSync(url.href),
    keep(url, headers, holdsSecret) {
      const set = headers.filter(([name]) => name === 'set-cookie');
      // One that a browser would refuse, such as another site's, is left out.
      for (const [, value] of set) {
        if (value.split(';', 1).join().length > MOST_BYTES) continue;
        const cookie = jar.setCookieSync(value, url.href, { ignoreError: true });
        if (cookie === undefined) continue;
        if (holdsSecret(value)) secret.add(placeOf(cookie));
        else secret.delete(placeOf(cookie));
      }
      if (set.length === 0) return false;
      for (const cookie of beyondBound(jar, url)) {
        secret.delete(placeOf(cookie));
        void jar.store.removeCookie(cookie.domain, cookie.path, cookie.key);
      }
      return true;
    },
    save() {
      const all = jar.serializeSync();
      const cookies = all?.cookies.filter((cookie) => !secret.has(placeOf(cookie)));
      return JSON.stringify({ ...all, cookies });
    },
  };
}

/** The oldest of a site that has too many. */
function beyondBound(jar: CookieJar, url: URL): readonly Cookie[] {
  const all = jar.getCookiesSync(url.href, { allPaths: true });
  if (all.length <= MOST_OF_SITE) return [];
  return all.toSorted((one, other) => Number(one.creation) - Number(other.creation)).slice(0, -MOST_OF_SITE);
}

/** What a cookie takes the place of another by. */
function placeOf({ domain, path, key }: { domain?: unknown; path?: unknown; key?: unknown }): string {
  return JSON.stringify([domain, path, key]);
}
