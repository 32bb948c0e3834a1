/** The candidate that `name` was most likely meant to be, or undefined when none is near. */
export function nearMiss(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = distanceOf(wanted, plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Shorter names are too near to too many: of them only two letters that changed places are a slip. */
export const SURELY_MEANT = 5;

/**
 * Whether one slip of the pen lies between them: a letter too many, missing or wrong, two that changed places, another
 * case or other separators. A form of the word (`cached`, `label`) is a word of its own, and so is what `_` begins.
 */
export function isSlip(name: string, option: string): boolean {
  if (Math.abs(name.length - option.length) > 2 || name.startsWith('_')) return false;
  const [typed, meant] = [plain(name), plain(option)];
  if (typed === meant) return true;
  if (typed.startsWith(meant) || `${typed}s` === meant) return false;
  return editDistance(typed, meant) === 1 && (meant.length >= SURELY_MEANT || isAnagram(typed, meant));
}

function isAnagram(a: string, b: string): boolean {
  return Array.from(a).toSorted().join('') === Array.from(b).toSorted().join('');
}

/** `refreshRate`, `refresh-rate` and `refresh_rate` are one word to whoever typed it. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]/g, '');
}

/** A word that was cut short is as near as one wrong letter. */
function distanceOf(from: string, to: string): number {
  return from.length > 2 && to.startsWith(from) ? Math.min(1, to.length - from.length) : editDistance(from, to);
}

/** Levenshtein's, one row at a time; two letters that changed places are one mistake (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let index = 0; index < from.length; index++) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === from[index] ? 0 : 1);
      const areSwapped = to[column - 1] === from[index - 1] && to[column - 2] === from[index];
      const swapped = index > 0 && column > 1 && areSwapped ? (before[column - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}
