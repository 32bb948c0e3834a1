/** A bar of `width` cells, filled to `part` of `whole`. */
export function bar(part: number, whole: number, width: number): string {
  const filled = whole === 0 ? 0 : Math.min(width, Math.round((part / whole) * width));
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
