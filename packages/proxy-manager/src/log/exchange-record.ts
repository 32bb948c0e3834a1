/** One ECS document as an object, for those who look on: see docs/log.md for its fields. */
export interface ExchangeRecord {
  readonly '@timestamp': string;
  readonly event: { readonly id: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** One ECS document as the log keeps it, and what has to be known of it without reading it. */
export interface RecordLine {
  /** JSON, without a line break. */
  readonly text: string;
  /** `http.request.id`, which all documents of one exchange share. */
  readonly exchangeId: string;
  readonly isFailure: boolean;
}
