import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { progressOn } from '../src/cli/progress.js';
import { readSettings, USAGE } from '../src/cli/settings.js';

it.each([
  [false, 'a\n'],
  [true, '\r\u001B[Ka\r\u001B[Kb\r\u001B[K'],
])('writes one line that is written over on a terminal, and once elsewhere (%s)', (isTTY, expected) => {
  let written = '';
  const progress = progressOn({ isTTY, write: (text) => (written += text) });
  progress.show('a');
  progress.show('b');
  progress.clear();
  progress.clear();
  expect(written).toBe(expected);
});

it.each([
  [[], 'found nothing'],
  [['import', 'twice'], 'what is "twice"?'],
  [['import', '--wait', 'long'], '--wait: expected seconds, found "long"'],
  [['import', '--ulr', 'x'], "Unknown option '--ulr'"],
  [['import', '--ca', '/no/such/file'], '--ca /no/such/file: ENOENT'],
])('refuses %j', (args, words) => {
  expect(() => readSettings(args, {})).toThrow(words);
});

it('takes an empty variable for none, and options before variables', () => {
  const settings = readSettings(['import', '--space', 'a'], { KIBANA_SPACE: 'b', KIBANA_URL: '', KIBANA_USERNAME: '' });
  expect(settings).toMatchObject({ space: 'a', kibana: undefined, waitMs: 60_000, overwrite: true });
});

it('is described in the documentation with every option and variable', () => {
  const docs = readFileSync(new URL('../../../docs/kibana.md', import.meta.url), 'utf8');
  const words = USAGE.match(/--[a-z-]+|[A-Z]+_[A-Z_]+/g) ?? [];
  expect(words.length).toBeGreaterThan(15);
  expect(words.filter((word) => !docs.includes(`\`${word}`))).toEqual([]);
});
