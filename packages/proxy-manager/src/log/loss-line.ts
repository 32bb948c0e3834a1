import { eventMembers } from './event-id.js';
import type { Loss } from './housekeeping.js';
import { isoTime } from './iso-time.js';
import { andText } from './json-text.js';
import { LOSS, SAME } from './line-same.js';

/**
 * The document of a gap in the log: so many records were removed by a bound of the spool before they were everywhere
 * that they should be. It is a failure of the log, and of no exchange.
 */
export function lossLine({ records, bytes, bound }: Loss, nowMs: number): string {
  const now = isoTime(nowMs);
  let text = `{"@timestamp":"${now}",${SAME.error}`;
  text += andText('message', `${records} records of the log were removed, log.${bound} was reached`);
  text += `,"event":{${eventMembers(nowMs)},${LOSS},"reason":"log.${bound}"}`;
  return `${text},"proxy_manager":{"loss":{"records":${records},"bytes":${bytes}}}}`;
}
