import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { Problems } from './problems.js';

/** A file of this size makes place for a new one; of each sink there are two at most. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Keeps what a sink refuses for good, with its reason, where a person can find it. */
export interface DeadLetters {
  add(sink: string, line: string, reason: string): void;
}

/** Writes `dead-letters/<sink>.ndjson` in `directory`; the one before it is `<sink>.old.ndjson`. */
export function deadLetters(options: {
  readonly directory: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly maxBytes?: number;
}): DeadLetters {
  const { clock, problems, maxBytes = MAX_BYTES } = options;
  const directory = join(options.directory, 'dead-letters');

  function add(sink: string, line: string, reason: string): void {
    const path = join(directory, `${sink}.ndjson`);
    mkdirSync(directory, { recursive: true });
    if (sizeOf(path) >= maxBytes) renameSync(path, join(directory, `${sink}.old.ndjson`));
    const head = JSON.stringify({ '@timestamp': new Date(clock.now()).toISOString(), sink, reason });
    // In one piece: several processes may append to it.
    appendFileSync(path, `${head.slice(0, -1)},"record":${asJson(line)}}\n`, { mode: 0o600 });
  }

  return {
    add(sink, line, reason) {
      try {
        add(sink.replaceAll(/[^\w-]/g, '_'), line, reason);
      } catch (error) {
        problems.report('dead-letters', `could not keep what ${sink} refuses in ${directory}`, error);
      }
    },
  };
}

/** A part of a record, which a full disk left, may look like a whole one. */
function asJson(line: string): string {
  try {
    JSON.parse(line);
    return line;
  } catch {
    return JSON.stringify(line);
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
