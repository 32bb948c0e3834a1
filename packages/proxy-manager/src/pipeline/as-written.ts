import type { OutboundRequest } from './exchange.js';
import type { HeaderList } from './headers.js';
import type { SecretPattern } from './secret-pattern.js';

type Field = HeaderList[number];

/**
 * What the caller wrote with a secret in it, after `getKeyProxy()` had given it out. Only the wire reads it; the request
 * that the stages, the cache, the log and the errors see has a placeholder there. Its fields cannot be printed.
 */
export class AsWritten {
  /** Such a body is never logged, only shown in an error's config. */
  readonly bodyHoldsSecret: boolean;
  readonly #url: URL;
  readonly #auth: OutboundRequest['auth'];
  readonly #fields: ReadonlyMap<Field, Field>;

  constructor(written: OutboundRequest, fields: ReadonlyMap<Field, Field>, bodyHoldsSecret: boolean) {
    this.#url = written.url;
    this.#auth = written.auth;
    this.#fields = fields;
    this.bodyHoldsSecret = bodyHoldsSecret;
  }

  /** The request with the caller's own words back in their places; what stages have added stays. */
  restore(request: OutboundRequest): OutboundRequest {
    return {
      ...request,
      url: this.#url,
      auth: this.#auth,
      headers: request.headers.map((field) => this.#fields.get(field) ?? field),
    };
  }
}

/** The request with every secret of `patterns` hidden from whoever looks at it, and as it was for the wire. */
export function conceal(request: OutboundRequest, patterns: readonly SecretPattern[]): OutboundRequest {
  if (patterns.length === 0) return request;
  const hide = (text: string): string => patterns.reduce((hidden, pattern) => pattern.hide(hidden), text);
  const fields = new Map<Field, Field>();
  const headers = request.headers.map((field): Field => {
    const [name, value] = field;
    const hidden: Field = [hide(name), hide(value)];
    if (hidden[0] === name && hidden[1] === value) return field;
    fields.set(hidden, field);
    return hidden;
  });
  const url = patterns.reduce((hidden, pattern) => pattern.hideInUrl(hidden), request.url);
  const originalUrl = request.originalUrl && hide(request.originalUrl);
  const auth = request.auth && { username: hide(request.auth.username), password: hide(request.auth.password) };
  const bodyHoldsSecret = patterns.some((pattern) => holds(pattern, request.body));
  const isHidden =
    fields.size > 0 ||
    url !== request.url ||
    originalUrl !== request.originalUrl ||
    bodyHoldsSecret ||
    auth?.username !== request.auth?.username ||
    auth?.password !== request.auth?.password;
  return isHidden
    ? { ...request, url, originalUrl, headers, auth, asWritten: new AsWritten(request, fields, bodyHoldsSecret) }
    : request;
}

function holds(pattern: SecretPattern, body: OutboundRequest['body']): boolean {
  if (typeof body === 'string') return pattern.in(body);
  return body instanceof Uint8Array && pattern.inBytes(body);
}

/** The labels, which are logged, without any secret of `patterns`. */
export function concealLabels(
  labels: Readonly<Record<string, string>>,
  patterns: readonly SecretPattern[],
): Record<string, string> {
  const hide = (text: string): string => patterns.reduce((hidden, pattern) => pattern.hide(hidden), text);
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, hide(value)]));
}
