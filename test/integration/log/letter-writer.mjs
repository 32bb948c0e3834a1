// For each directory that it is told, adds one dead letter as soon as `go` stands there, as other processes do at the same moment.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deadLetters } from '../../../packages/proxy-manager/dist/log/dead-letters.js';

const { name, maxBytes } = JSON.parse(process.argv[2]);
const told = [];
const problems = { report: (_kind, detail, cause) => told.push(`${detail}: ${cause}`), mended() {} };

process.on('message', (directory) => {
  const letters = deadLetters({ directory, clock: { now: () => Date.now() }, problems, maxBytes });
  process.send('ready');
  while (!existsSync(join(directory, 'go')));
  letters.add('test', JSON.stringify({ event: { id: name } }), 'refused');
  process.send(told.splice(0));
});
