/** Header fields in the order and case in which they go onto, or came off, the wire; a repeated name is a repeated entry. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The first value of `name` (any case), or undefined. */
export function header(list: HeaderList, name: string): string | undefined {
  let wanted: string | undefined;
  for (const [candidate, value] of list) {
    if (candidate.length !== name.length) continue;
    wanted ??= name.toLowerCase();
    if (candidate === wanted || candidate.toLowerCase() === wanted) return value;
  }
  return undefined;
}

/** The list without any field whose lower-case name is in `names`; the very same list where there is none. */
export function withoutHeaders(list: HeaderList, names: ReadonlySet<string>): HeaderList {
  let kept: HeaderList[number][] | undefined;
  let index = 0;
  for (const field of list) {
    if (names.has(field[0].toLowerCase())) kept ??= list.slice(0, index);
    else kept?.push(field);
    index += 1;
  }
  return kept ?? list;
}

/** The list with `name` set to `value`: in the place of the field it replaces, else at the end. */
export function withHeader(list: HeaderList, name: string, value: string): HeaderList {
  const wanted = name.toLowerCase();
  const index = list.findIndex(
    ([candidate]) => candidate.length === wanted.length && candidate.toLowerCase() === wanted,
  );
  return index === -1 ? [...list, [name, value]] : list.with(index, [name, value]);
}
