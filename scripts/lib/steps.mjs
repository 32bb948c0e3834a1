import process from 'node:process';

const live = process.stdout.isTTY === true;

/**
 * What a step came to: how many passed and failed, what to add to its line, and the output to show when it failed.
 * @typedef {{ passed: number, failed: number, remark?: string, output?: string }} Result
 */

/** Runs steps one after the other, writes one line for each, and keeps the sums. */
export class Steps {
  passed = 0;
  failed = 0;

  /**
   * @param {string} name
   * @param {() => Promise<Result>} work
   * @returns {Promise<boolean>} whether nothing failed
   */
  async step(name, work) {
    const start = performance.now();
    if (live) process.stdout.write(`… ${name}`);
    const result = await work();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (live) process.stdout.write('\r\x1b[K');
    const remark = result.remark ? `, ${result.remark}` : '';
    console.log(`${result.failed > 0 ? '✗' : '✓'} ${name} (${seconds} s${remark})`);
    if (result.failed > 0 && result.output) console.log(`\n${result.output}\n`);
    this.passed += result.passed;
    this.failed += result.failed;
    return result.failed === 0;
  }

  /** Writes the sums as the last line, and ends the process by them. */
  end() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exit(this.failed > 0 ? 1 : 0);
  }
}

/** The result of a command that counts as one, by its exit code. */
export function asOne({ code, output }) {
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, output };
}
