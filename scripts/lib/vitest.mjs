import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from './paths.mjs';
import { node } from './run.mjs';

/** Runs vitest projects and counts their tests; a test that did not run is a failure. */
export function vitest(...projects) {
  return vitestOn([], ...projects);
}

/** The same for the test files alone whose path holds one of `parts`. */
export async function vitestOn(parts, ...projects) {
  const dir = mkdtempSync(join(tmpdir(), 'proxy-manager-vitest-'));
  try {
    const report = join(dir, 'report.json');
    const args = ['run', ...parts, ...projects.flatMap((name) => ['--project', name]), '--allowOnly=false'];
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { code, output } = await node(tool('vitest'), [...args, ...reporters]);
    return { ...count(code, report), output };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function count(code, report) {
  const totals = read(report);
  if (totals === undefined) return { passed: 0, failed: 1, remark: 'did not run' };
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests } = totals;
  const broken = totals.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const skipped = numPendingTests + numTodoTests;
  let failed = numFailedTests + broken.length + skipped;
  const remarks = [`${passed} passed`];
  if (failed > 0) remarks.push(`${failed} failed`);
  if (broken.length > 0) remarks.push(`${broken.length} of them files that could not be run`);
  if (skipped > 0) remarks.push(`${skipped} of them skipped, which is not allowed`);
  if (failed === 0 && (code !== 0 || passed === 0)) {
    failed = 1;
    remarks.push(code === 0 ? 'no tests found' : 'an error outside of the tests');
  }
  return { passed, failed, remark: remarks.join(', ') };
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return undefined;
  }
}
