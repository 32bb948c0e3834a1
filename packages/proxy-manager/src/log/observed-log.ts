import { channel } from 'node:diagnostics_channel';
import { recordMetrics } from '../telemetry/metrics.js';
import type { ExchangeLog } from './exchange-log.js';
import type { ExchangeRecord } from './exchange-record.js';

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
  function observe(record: ExchangeRecord): void {
    if (exchanges.hasSubscribers) exchanges.publish(record);
    recordMetrics(record);
    print?.(record);
  }

  function isKept({ event, http }: ExchangeRecord): boolean {
    return sample >= 1 || event['outcome'] !== 'success' || share(requestId(http)) < sample;
  }

  return {
    write(record) {
      observe(record);
      if (isKept(record)) log.write(record);
    },
    gather(record) {
      observe(record);
      return isKept(record) ? log.gather(record) : Promise.resolve();
    },
    flush: (deadlineMs) => log.flush(deadlineMs),
    close: (deadlineMs) => log.close(deadlineMs),
  };
}

/** An exchange's place between 0 and 1, out of the random digits that its id ends with. */
function share(id: string): number {
  return Number.parseInt(id.slice(-8), 16) / 2 ** 32;
}

function requestId(http: unknown): string {
  const { request } = http as { readonly request: { readonly id: string } };
  return request.id;
}
