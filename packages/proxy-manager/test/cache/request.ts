import type { OutboundRequest } from '../../src/pipeline/exchange.js';

/** A GET of `url` as the doors make it. */
export function request(url: string, different: Partial<Omit<OutboundRequest, 'url'>> = {}): OutboundRequest {
  return {
    method: 'GET',
    headers: [],
    body: undefined,
    auth: undefined,
    wire: { body: 'buffer', decompress: true, maxRedirects: 21, maxResponseBytes: 1 << 20, maxRequestBytes: 1 << 20 },
    ...different,
    url: new URL(url),
  };
}
