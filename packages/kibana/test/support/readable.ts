/** The same value with every JSON string of it decoded, so that a change of one panel is a change of a few lines. */
export function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [
      name,
      readable(name.endsWith('JSON') && typeof inner === 'string' ? JSON.parse(inner) : inner),
    ]),
  );
}
