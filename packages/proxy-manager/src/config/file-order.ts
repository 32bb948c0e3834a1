import type { Path } from './problem.js';

/** The mistakes in the order in which the file has their places; what it lacks comes behind what is there. */
export function inFileOrder<Mistake extends { readonly path: Path }>(
  file: unknown,
  mistakes: readonly Mistake[],
): readonly Mistake[] {
  return mistakes
    .map((mistake) => ({ mistake, place: placeOf(mistake.path, file) }))
    .toSorted((one, other) => compare(one.place, other.place))
    .map(({ mistake }) => mistake);
}

/** For each step of the path, the how manyth it is of its object or array. */
function placeOf(path: Path, file: unknown): readonly number[] {
  let value: unknown = file;
  return path.map((step) => {
    const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    const place = names.indexOf(String(step));
    value = place === -1 ? undefined : Reflect.get(value as object, step);
    return place === -1 ? Number.MAX_SAFE_INTEGER : place;
  });
}

/** An object comes before what is in it. */
function compare(one: readonly number[], other: readonly number[]): number {
  const different = one.findIndex((place, depth) => place !== other[depth]);
  return different === -1 ? one.length - other.length : (one[different] ?? 0) - (other[different] ?? -1);
}
