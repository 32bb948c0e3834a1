import type { OutboundRequest } from '../pipeline/exchange.js';

/** The url without user and password, and these as they are meant. */
export function withoutUserinfo(url: URL): { readonly url: URL; readonly auth: OutboundRequest['auth'] } {
  if (url.username === '' && url.password === '') return { url, auth: undefined };
  const auth = { username: decoded(url.username), password: decoded(url.password) };
  url.username = '';
  url.password = '';
  return { url, auth };
}

function decoded(userinfo: string): string {
  try {
    return decodeURIComponent(userinfo);
  } catch {
    return userinfo;
  }
}
