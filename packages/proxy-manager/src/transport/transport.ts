import type { Readable } from 'node:stream';
import type { AxiosRequestConfig } from 'axios';
import type { ProxyCredential, TlsIdentity } from '../config/resolve.js';
import type { HeaderList } from '../pipeline/headers.js';

/** How the bytes travel: the options of one exchange that only the transport reads. */
export interface WireOptions {
  /**
   * `stream`: the reply's body is handed over as it arrives; `buffer`: it is read to its end first; `either`: whole
   * where it came together with the head, which is much cheaper, else as it arrives.
   */
  readonly body: 'buffer' | 'either' | 'stream';
  /** Undo `content-encoding` (gzip, deflate, br). */
  readonly decompress: boolean;
  /** How many redirects are followed; 0: none, the 3xx is the reply. */
  readonly maxRedirects: number;
  /** Upper bound of the body after decoding, in bytes; beyond it the exchange fails with ERR_BAD_RESPONSE. */
  readonly maxResponseBytes: number;
  /** Upper bound of the request's body in bytes. */
  readonly maxRequestBytes: number;
  /** How long the head of a reply is waited for, in ms. Default: the transport's own. */
  readonly headersMs?: number;
  /** Options that only axios's own http adapter knows (`httpAgent`, `socketPath`, …): when set, it sends this exchange. */
  readonly axios?: AxiosRequestConfig;
}

/** A request as it goes onto the wire: it may hold a revealed key, so it is never logged, stored or thrown. */
export interface WireRequest {
  readonly method: string;
  /** Not to be changed: other exchanges may share it. */
  readonly url: URL;
  readonly headers: HeaderList;
  readonly body: string | Uint8Array | Readable | undefined;
  readonly options: WireOptions;
  /** The outbound proxy, or undefined to connect to the origin itself. */
  readonly proxy: ProxyCredential | undefined;
  /** TLS options for the origin. */
  readonly tls?: TlsIdentity;
  readonly signal: AbortSignal;
  /**
   * Called before a redirect is followed: checks `hosts` and charges the lease; a rejection ends the exchange with it.
   * It gives the request for the next hop, from which what must not cross origins has been dropped.
   */
  readonly onRedirect: (hop: RedirectHop) => Promise<WireRequest>;
}

export interface RedirectHop {
  readonly status: number;
  /** Of the reply that redirects. */
  readonly headers: HeaderList;
  /** The request that was redirected, with its own url, and the method, headers and body that the next hop goes on with. */
  readonly from: WireRequest;
  readonly to: URL;
}

/** A body as it came off the wire. */
export interface CodedBody {
  /** The one content coding that it has. */
  readonly coding: 'br' | 'gzip' | 'zstd';
  readonly bytes: Uint8Array;
}

/** A reply off the wire: every status resolves. */
export interface WireReply {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; without `content-encoding` and `content-length` where the body was decoded. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | Readable;
  /** Where the body was decoded: what it was decoded from, so that a cache need not code it anew. */
  readonly coded?: CodedBody | undefined;
  /** The url that answered, after redirects. */
  readonly url: URL;
  readonly httpVersion: string;
}

/** What the transport observes while it works; one object per attempt, filled in as things happen. */
export interface WireObservation {
  /**
   * True as soon as a byte of the request may have been handed to a socket, on any hop; false again where the proxy
   * that took it refused it by 407, so that no origin has seen it. Every transport must set it: while it is false the
   * use of a credential is given back, and a request that is not idempotent may be sent again.
   */
  sent: boolean;
  redirects: number;
  /** Bytes handed to and taken from the socket for this attempt, headers included, as far as known. */
  bytesSent: number;
  bytesReceived: number;
  /** Milliseconds; undefined where the step did not happen (a kept-alive connection has no `connectMs`). */
  connectMs: number | undefined;
  /** The parts of `connectMs` that went into looking a name up, and into TLS. */
  dnsMs?: number | undefined;
  tlsMs?: number | undefined;
  ttfbMs: number | undefined;
  downloadMs: number | undefined;
}

/**
 * Sends one request and resolves for every status; rejects with a `TransportFault`, or the signal's reason.
 *
 * It keeps `observation` up while it works, above all `sent`; a reply that it resolves with counts as sent in any case.
 */
export interface Transport {
  send(request: WireRequest, observation: WireObservation): Promise<WireReply>;
  /**
   * True where `proxy` answers again; `target` (host or host:port) is where it failed last, if that is known. Without it
   * a proxy that failed is tried again when its rest is over.
   */
  probe?(proxy: ProxyCredential, target: string | undefined): Promise<boolean>;
  /** Closes every connection this transport opened. */
  close(): Promise<void>;
}
