/** So many urls are remembered. */
const KEPT = 1000;

const known = new Map<string, URL>();

/**
 * The url that is written so; undefined for what is none. The same ones are asked for again and again, and what is made of
 * an url is kept beside it: it must not be changed.
 */
export function knownUrl(written: string): URL | undefined {
  let url = known.get(written);
  if (url === undefined) {
    if (!URL.canParse(written)) return undefined;
    url = new URL(written);
    // What has a password in it is not kept.
    if (url.username !== '' || url.password !== '') return url;
    if (known.size >= KEPT) known.clear();
    known.set(written, url);
  }
  return url;
}
