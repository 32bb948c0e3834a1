/** A line that is written over on a terminal, and written once where it would only pile up. */
export interface Progress {
  show(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

export function progressOn(stream: { readonly isTTY: boolean; write(text: string): unknown }): Progress {
  let shown = '';
  return {
    show(text) {
      if (stream.isTTY) stream.write(`\r\u001B[K${text}`);
      else if (shown === '') stream.write(`${text}\n`);
      shown = text;
    },
    clear() {
      if (stream.isTTY && shown !== '') stream.write('\r\u001B[K');
      shown = '';
    },
  };
}
