import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import type { Problems } from './problems.js';

/** Behind a file of this size the next one is begun; of each sink there are two at most. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Keeps what a sink refuses for good, with its reason, where a person can find it. */
export interface DeadLetters {
  add(sink: string, line: string, reason: string): void;
}

/** Writes `dead-letters/<sink>.1.ndjson` in `directory`, then `.2.`, and so on; only the newest two are kept. */
export function deadLetters(options: {
  readonly directory: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly maxBytes?: number;
}): DeadLetters {
  const { clock, problems, maxBytes = MAX_BYTES } = options;
  const directory = join(options.directory, 'dead-letters');

  function add(sink: string, line: string, reason: string): void {
    mkdirSync(directory, { recursive: true });
    const path = currentPath(sink);
    const head = JSON.stringify({ '@timestamp': new Date(clock.now()).toISOString(), sink, reason });
    // In one piece: several processes may append to it.
    appendFileSync(path, `${head.slice(0, -1)},"record":${asJson(line)}}\n`, { mode: 0o600 });
  }

  /** Nothing is renamed: processes that find a file full at the same moment go on to the same next one. */
  function currentPath(sink: string): string {
    const pathOf = (number: number): string => join(directory, `${sink}.${number}.ndjson`);
    const numbers = readdirSync(directory).flatMap((name) => {
      const [itsSink, number] = name.split('.');
      return itsSink === sink && number !== undefined && /^\d+$/.test(number) ? [Number(number)] : [];
    });
    const newest = Math.max(1, ...numbers);
    const current = sizeOf(pathOf(newest)) < maxBytes ? newest : newest + 1;
    for (const number of numbers) if (number < current - 1) rmSync(pathOf(number), { force: true });
    return pathOf(current);
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
