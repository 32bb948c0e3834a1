import { channel } from 'node:diagnostics_channel';
import { countsMetrics, recordMetrics } from '../telemetry/metrics.js';
import type { ExchangeLog } from './exchange-log.js';
import type { ExchangeRecord, RecordLine } from './exchange-record.js';

/** Every record, as it is written; it is not to be changed. */
const exchanges = channel('proxy-manager:exchange');

/**
 * The log with those who look on: `node:diagnostics_channel`, OpenTelemetry's metrics where the application has set them
 * up, and `print`. They see every record; of successes only the part `sample` of all exchanges is written, each exchange
 * with all of its attempts or none, while what failed always is.
 */
export function observedLog(
  log: ExchangeLog,
  { sample = 1, print }: { readonly sample?: number; readonly print?: (record: ExchangeRecord) => void },
): ExchangeLog {
  function observe({ text }: RecordLine): void {
    // Read again only where somebody looks on.
    if (!exchanges.hasSubscribers && print === undefined && !countsMetrics()) return;
    const record = JSON.parse(text) as ExchangeRecord;
    if (exchanges.hasSubscribers) exchanges.publish(record);
    recordMetrics(record);
    print?.(record);
  }

  function isKept({ isFailure, exchangeId }: RecordLine): boolean {
    return sample >= 1 || isFailure || share(exchangeId) < sample;
  }

  return {
    write(line) {
      observe(line);
      if (isKept(line)) log.write(line);
    },
    gather(line, until) {
      observe(line);
      return isKept(line) ? log.gather(line, until) : Promise.resolve();
    },
    flush: (deadlineMs) => log.flush(deadlineMs),
    close: (deadlineMs) => log.close(deadlineMs),
  };
}

/** An exchange's place between 0 and 1, out of the random digits that its id ends with. */
function share(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32;
}
