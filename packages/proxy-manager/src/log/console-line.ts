import type { ExchangeRecord } from './exchange-record.js';

const COLOURS = { info: 32, warn: 33, error: 31 } as const;

const CONTROL = /\p{Cc}+/gu;

/** The parts of a record that a line tells. */
interface Told {
  /** As `GET https://host/path 200 123ms miss`. */
  readonly message: string;
  readonly url: { readonly full: string };
  readonly log: { readonly level: keyof typeof COLOURS };
  readonly event: { readonly reason?: string };
  readonly error?: { readonly message: string };
  readonly proxy_manager: {
    readonly endpoint?: string;
    readonly credential?: { readonly id: string };
    readonly proxy?: { readonly id: string };
    readonly attempt?: { readonly number: number };
  };
}

/** One line for a person: when, what, how it ended, and by whom. */
export function consoleLine(record: ExchangeRecord, hasColours: boolean): string {
  const { message, url, log, event, error, proxy_manager: own } = record as unknown as Told;
  const time = record['@timestamp'].slice(11, 23);
  const by = [
    own.endpoint,
    own.credential?.id,
    own.proxy && `via ${own.proxy.id}`,
    own.attempt !== undefined && own.attempt.number > 1 && `attempt ${own.attempt.number}`,
    error?.message ?? event.reason,
  ].filter((part) => typeof part === 'string');
  const [method, , ...ending] = message.split(' ');
  // With the query, which tells one page from the next.
  const what = [method, url.full, ...ending].join(' ');
  const line = `${time} ${what}  (${by.join(', ')})`.replaceAll(CONTROL, ' ');
  return hasColours ? `\u001B[${COLOURS[log.level]}m${line}\u001B[39m` : line;
}

/** Prints a line for every record on standard error, in colours where that is a terminal that has them. */
export function consolePrinter(stream: NodeJS.WriteStream = process.stderr): (record: ExchangeRecord) => void {
  const hasColours = stream.isTTY && stream.hasColors();
  return (record) => void stream.write(`${consoleLine(record, hasColours)}\n`);
}
