/** A segment that is a number, a UUID, or what is as long and mixed as only ids are. */
const IDS =
  /(?<=\/)(?:\d+|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?=[^\d/]*\d)(?:[\da-f]{12,}|[\w-]{20,}))(?=\/|$)/gi;

/** The path with `{id}` for each segment that looks like an id, so that exchanges of one kind can be counted together. */
export function routeOf(path: string): string {
  return path.replace(IDS, '{id}');
}
