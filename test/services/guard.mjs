// node guard.mjs <folder> <command> [argument ...]
// Stays until its standard input ends, which happens when the test runner is gone, however it went: then it runs the
// command that ends a service and removes the service's data. It ignores the Ctrl-C that the runner dies of.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import process from 'node:process';

const [folder, command, ...args] = process.argv.slice(2);
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.stdin.resume().on('end', () => {
  if (command === 'kill') {
    try {
      process.kill(Number(args[0]), 'SIGKILL');
    } catch {
      // It is gone already.
    }
  } else if (command !== undefined) {
    spawnSync(command, args, { stdio: 'ignore' });
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
});
