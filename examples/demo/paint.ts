/** Colours for a terminal that has them: NO_COLOR, TERM=dumb and a pipe are respected. */
const coloured = process.stdout.isTTY && process.stdout.hasColors();

const style =
  (open: number, close: number) =>
  (text: string): string =>
    coloured ? `\u001B[${open}m${text}\u001B[${close}m` : text;

export const bold: (text: string) => string = style(1, 22);
export const dim: (text: string) => string = style(2, 22);
export const red: (text: string) => string = style(31, 39);
export const green: (text: string) => string = style(32, 39);
