import type { WireReply } from '../transport/transport.js';
import { header } from '../pipeline/headers.js';

/** The errors of RFC 9209 §2.3 that come with a whole reply of the origin's behind them. */
const OF_A_REPLY = /^(?:http_response_|http_upgrade_failed$)/;

/** What proxy-chain answers where it fails: statuses that hardly anybody else has. */
const PROXY_CHAIN: ReadonlySet<number> = new Set([590, 592, 593, 594, 595, 596, 597, 599]);

/**
 * What a proxy that was asked for a plain http url says in its own name, in a few words; undefined where the reply looks
 * like the origin's. Known: `Proxy-Status` with an error (RFC 9209), and the error pages of squid, tinyproxy and proxy-chain.
 */
export function proxysOwn({ status, headers }: Pick<WireReply, 'headers' | 'status'>): string | undefined {
  if (status < 400) return undefined;
  const error = proxyStatusError(header(headers, 'proxy-status'));
  if (error !== undefined) return `Proxy-Status ${error}`;
  const squid = /^ERR_\w+/.exec(header(headers, 'x-squid-error') ?? '')?.[0];
  if (squid !== undefined) return `squid ${squid}`;
  if (/^squid\b/i.test(header(headers, 'server') ?? '')) return `squid status ${status}`;
  if (/^tinyproxy\b/i.test(header(headers, 'server') ?? '') && status !== 404) return `tinyproxy status ${status}`;
  if (PROXY_CHAIN.has(status)) return `proxy-chain status ${status}`;
  return undefined;
}

/** The error of the last member, which is that of the intermediary next to us (RFC 9209 §2). */
function proxyStatusError(value: string | undefined): string | undefined {
  const last = value?.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g)?.at(-1);
  const error = /;\s*error=([a-z_]+)/.exec(last ?? '')?.[1];
  return error === undefined || OF_A_REPLY.test(error) ? undefined : error;
}
