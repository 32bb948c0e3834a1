import { andText } from './json-text.js';

/** So many domains are remembered. */
const KEPT = 1000;

/** As every record begins its `url`; the quotes of a value are escaped, so this can stand nowhere else. */
const DOMAIN = /"url":\{"scheme":"[^"\\]+","domain":"([^"\\]+)"/;

const known = new Map<string, string>();

/**
 * Writes into a record what the public suffix list tells of its host: ECS `url.registered_domain`, `.top_level_domain` and
 * `.subdomain`. To load the list takes as long as a hundred exchanges, so it is left to those who ship, away from all requests.
 */
export async function domainParts(): Promise<(line: string) => string> {
  const { parse } = await import('tldts');

  function partsOf(domain: string): string {
    const found = parse(domain, { allowPrivateDomains: true, extractHostname: false, validateHostname: false });
    // Names of a network of one's own, as `server.lan`, are on no list.
    if (found.domain === null || !(found.isIcann === true || found.isPrivate === true)) return '';
    const registered = andText('registered_domain', found.domain);
    return `${registered}${andText('top_level_domain', found.publicSuffix ?? undefined)}${andText('subdomain', found.subdomain || undefined)}`;
  }

  function remembered(domain: string): string {
    let parts = known.get(domain);
    if (parts === undefined) {
      if (known.size >= KEPT) known.clear();
      parts = partsOf(domain);
      known.set(domain, parts);
    }
    return parts;
  }

  return function withParts(line) {
    const found = DOMAIN.exec(line);
    const parts = found?.[1] === undefined ? '' : remembered(found[1]);
    if (found === null || parts === '') return line;
    const end = found.index + found[0].length;
    return line.slice(0, end) + parts + line.slice(end);
  };
}
