import type { ProxyCredential } from '../config/resolve.js';

/** The value of `proxy-authorization` for this proxy (Basic, RFC 7617), or undefined where it has no password. */
export function proxyAuthorization({ userinfo }: ProxyCredential): string | undefined {
  return userinfo && `Basic ${Buffer.from(userinfo.reveal()).toString('base64')}`;
}
