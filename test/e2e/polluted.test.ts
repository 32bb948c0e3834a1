import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runProgram } from './support/program.js';
import { tempDir } from './support/workspace.js';

it('takes no option from Object.prototype, whoever has put it there', async () => {
  const program = fileURLToPath(new URL('./support/polluted.mjs', import.meta.url));
  const cwd = tempDir();
  const env = { NODE_NO_WARNINGS: '1' };
  const { code, output } = await runProgram(program, { args: [cwd], cwd, env });
  expect(code, output).toBe(0);
  const { compared, differences } = JSON.parse(output) as { compared: number; differences: readonly string[] };
  expect(compared).toBeGreaterThan(700);
  expect(differences).toEqual([]);
});
