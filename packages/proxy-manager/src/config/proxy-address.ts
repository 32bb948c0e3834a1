/** One proxy as its address says it; `hostname` as in an URL, IPv6 in brackets. */
export interface ProxyAddress {
  readonly protocol: 'http' | 'https' | 'socks5';
  readonly hostname: string;
  readonly port: number;
  /** `username:password`, percent-decoded. */
  readonly userinfo: string | undefined;
  /** `hostname:port`: names the proxy in logs, where no password may stand. */
  readonly origin: string;
}

/** What is wrong with an address; never a part of it, since it may hold a password. */
export interface AddressMistake {
  readonly mistake: string;
}

const PROTOCOLS = new Map<string, Pick<ProxyAddress, 'port' | 'protocol'>>([
  ['http', { protocol: 'http', port: 80 }],
  ['https', { protocol: 'https', port: 443 }],
  ['socks5', { protocol: 'socks5', port: 1080 }],
  ['socks5h', { protocol: 'socks5', port: 1080 }],
]);

// The user part is greedy up to the last "@", so that a password may hold "@", "/" or "#" unescaped.
const ADDRESS = /^(?:([a-z][a-z\d+.-]*):\/\/)?(?:(.*)@)?(\[[^\]@]*\]|[^:/?#@[\]\s]*)(?::(\d*))?\/?$/is;

/**
 * Reads `host:port`, `user:password@host:port` or an URL with http, https, socks5 or socks5h.
 * An URL may leave the port out (80, 443, 1080); without a scheme it is http and needs one.
 */
export function parseProxyAddress(address: string): ProxyAddress | AddressMistake {
  if (address.trim() === '') return { mistake: 'an empty string' };
  const parts = ADDRESS.exec(address.trim());
  if (parts === null) return { mistake: shapeMistake(address) };
  const [, scheme, user, host = '', digits] = parts;
  const known = PROTOCOLS.get((scheme ?? 'http').toLowerCase());
  if (known === undefined) return { mistake: 'an address whose scheme is not http, https or socks5' };
  if (digits === undefined && scheme === undefined) return { mistake: 'an address without a port' };
  const port = digits === undefined ? known.port : Number(digits || 0);
  if (port < 1 || port > 65_535) return { mistake: 'an address whose port is not from 1 to 65535' };
  const hostname = hostOf(host);
  if (hostname === undefined) return { mistake: 'an address without a valid host' };
  const userinfo = user === undefined || user === '' || user === ':' ? undefined : decodeUser(user);
  if (typeof userinfo === 'object') return userinfo;
  return {
    protocol: known.protocol,
    hostname,
    port,
    userinfo,
    origin: `${hostname}:${port}`,
  };
}

/** The host as URLs write it (lower case, punycode, short IPv6), or undefined. */
function hostOf(host: string): string | undefined {
  return host !== '' && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}

function decodeUser(user: string): string | AddressMistake {
  const colon = user.indexOf(':');
  const [name, password] = colon === -1 ? [user, ''] : [user.slice(0, colon), user.slice(colon + 1)];
  try {
    const decoded = `${decodeURIComponent(name)}:${decodeURIComponent(password)}`;
    if (/\p{Cc}/u.test(decoded)) return { mistake: 'an address with a control character in its user or password' };
    if (decodeURIComponent(name).includes(':')) return { mistake: 'an address with a colon in its user name' };
    return decoded;
  } catch {
    return { mistake: 'an address with a lone % in its user or password (write it %25)' };
  }
}

/** Why an address has none of the shapes, as far as one can tell. */
function shapeMistake(address: string): string {
  // As many vendors list them.
  if (/^[^:@/]+:\d+:[^:]+:.+$/.test(address)) return 'host:port:user:password (write http://user:password@host:port)';
  if (/^[^[]*:[^:]*:[^@]*$/.test(address) && !address.includes('://')) return 'an IPv6 address without brackets';
  return 'an address of another form';
}
