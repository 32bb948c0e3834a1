export type KibanaErrorCode =
  | 'ERR_KIBANA_OPTIONS'
  | 'ERR_KIBANA_REFUSED'
  | 'ERR_KIBANA_UNREACHABLE'
  | 'ERR_KIBANA_VERSION';

/**
 * What Kibana or Elasticsearch said no to, or why it could not be asked; the message says what to do.
 *
 * - `ERR_KIBANA_OPTIONS`: an option is wrong; nothing was sent.
 * - `ERR_KIBANA_UNREACHABLE`: no answer, or none that a Kibana gives, within the time allowed.
 * - `ERR_KIBANA_VERSION`: this Kibana is older than 8.12.
 * - `ERR_KIBANA_REFUSED`: it answered, and took nothing, or not all.
 */
export class KibanaError extends Error {
  override readonly name: string = 'KibanaError';
  readonly code: KibanaErrorCode;
  /** The HTTP status of the answer, where there was one. */
  readonly status: number | undefined;

  constructor(
    code: KibanaErrorCode,
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.status = options.status;
  }
}
