/** Who sends, as Elastic's own data name it. */
export interface ServiceIdentity {
  readonly name: string;
  readonly version?: string;
  readonly environment?: string;
  /** Tells instances of one service apart. */
  readonly nodeName?: string;
}

/** Which bodies stand in the log, and how much of each. */
export interface BodyPolicy {
  /** Longer ones are cut off there. */
  readonly maxBytes: number;
  /** Of replies with these statuses or classes of them, and what they reply to. Default: all, and faults too. */
  readonly statuses?: readonly (number | StatusClass)[];
}

export type StatusClass = '1xx' | '2xx' | '3xx' | '4xx' | '5xx';

/** What of an exchange stands in its document beyond what always does. */
export interface RecordPolicy {
  readonly service?: ServiceIdentity | undefined;
  /** Lower-case names of the header fields, of request and reply; credentials among them are shown as `[redacted]`. */
  readonly headers?: ReadonlySet<string> | undefined;
  readonly bodies?: BodyPolicy | undefined;
  /** The part of the successful exchanges that is logged, between 0 and 1, where that is not all. */
  readonly sample?: number | undefined;
}

/** True where the bodies of an exchange that ended so are to be logged; without a reply `status` is undefined. */
export function wantsBodies({ statuses }: BodyPolicy, status: number | undefined): boolean {
  if (statuses === undefined) return true;
  if (status === undefined) return false;
  return statuses.some((each) => each === status || each === `${Math.floor(status / 100)}xx`);
}
