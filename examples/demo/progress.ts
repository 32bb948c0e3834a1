import { bar } from './bar.js';
import { dim } from './paint.js';
import { width } from './width.js';

const REDRAW_MS = 40;
const BAR_WIDTH = Math.max(6, Math.min(16, width - 54));
const TEXT_WIDTH = Math.min(38, width - BAR_WIDTH - 24);

/** One line of the run: redrawn in place while it lasts on a terminal, printed once at its end elsewhere. */
export interface Progress {
  step(): void;
  done(text: string): void;
}

export function openProgress(name: string, total: number): Progress {
  const startedMs = performance.now();
  const live = process.stdout.isTTY;
  let count = 0;
  let drawnMs = Number.NEGATIVE_INFINITY;

  function line(text: string): string {
    const took = `${Math.round(performance.now() - startedMs)} ms`;
    return `  ${name.padEnd(8)} ${bar(count, total, BAR_WIDTH)}  ${text.padEnd(TEXT_WIDTH)} ${dim(took.padStart(8))}`;
  }

  return {
    step() {
      count += 1;
      if (!live || performance.now() - drawnMs < REDRAW_MS) return;
      drawnMs = performance.now();
      process.stdout.write(`\r\u001B[2K${line(`${count} of ${total}`)}`);
    },
    done(text) {
      process.stdout.write(`${live ? '\r\u001B[2K' : ''}${line(text)}\n`);
    },
  };
}
