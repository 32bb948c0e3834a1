import { bareError } from '../errors.js';

/** Tells a fault of the log once, until it is mended; counting goes on in silence. */
export interface Problems {
  /** `kind` is what may be told only once; `detail` says what happened and what becomes of the records. */
  report(kind: string, detail: string, cause?: unknown): void;
  /** The fault of this kind is over: its next one is told again. */
  mended(kind: string): void;
}

/** Receives each fault of the log; the default prints a Node.js warning. */
export type OnProblem = (problem: Error) => void;

export function problemReports(onProblem: OnProblem = warn): Problems {
  const told = new Set<string>();
  return {
    report(kind, detail, cause) {
      if (told.has(kind)) return;
      told.add(kind);
      const bare = cause === undefined ? undefined : bareError(cause);
      const because = bare === undefined ? '' : `: ${bare.message}`;
      const problem = new Error(`exchange log: ${detail}${because}`, bare && { cause: bare });
      problem.name = 'ExchangeLogWarning';
      // A callback that throws must not reach the exchange that is being logged.
      try {
        onProblem(problem);
      } catch (error) {
        warn(error instanceof Error ? error : problem);
      }
    },
    mended(kind) {
      told.delete(kind);
    },
  };
}

function warn(problem: Error): void {
  process.emitWarning(problem);
}
