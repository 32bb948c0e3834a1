// Writes docs/performance.md from bench/results, where `npm run bench -- request|profile --json` and `soak` have put it. The
// flame graph it shows is made anew with the profile: `npm run bench -- profile --json bench/results/profile.json --svg
// docs/flame-graph.svg && node scripts/performance.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';

const read = (name) => JSON.parse(readFileSync(join(root, 'bench/results', name), 'utf8'));
const { date, machine, results, rounds } = read('request.json');
const { peer, parts } = read('profile.json');
const { exchanges, bytesPerExchange, mostSockets } = read('soak.json');

const size = (bytes) => (bytes < 1000 ? `${bytes} B` : `${bytes / 1000} kB`);
const groups = new Map();
for (const result of results) {
  const title = `${size(result.bytes)} of JSON, ${result.inFlight} in flight`;
  groups.set(title, [...(groups.get(title) ?? []), result]);
}

const tables = [...groups].map(([title, rows]) =>
  [
    `### ${title}`,
    '',
    '| client | CPU per request, of axios | µs of CPU per request | requests per second |',
    '|---|---|---|---|',
    ...rows.map(({ name, ratio, cpuUs, perSecond }) => `| ${name} | ${ratio.toFixed(2)} | ${cpuUs} | ${perSecond} |`),
  ].join('\n'),
);

const text = `# What a request costs

Written by \`node scripts/performance.mjs\` from what \`npm run bench -- request\` measured; not by hand.

${date}, ${machine.cpu}, ${machine.cpus} CPUs, ${machine.memoryGiB} GiB, ${machine.system}, Node.js ${machine.node}. Each client in a process of its own, all in one run, one
after the other in each round, median of ${rounds} rounds; the origin in another process${machine.isPinned ? ', on the other CPU' : ''}. CPU is that of all
threads of the client's process. Every url is a new one, so that no cache answers. Compare the ratios: the microseconds are of this machine alone.

"Everything on": four keys with a limit, counted in the journal of the embedded store; a user agent; the cache asked, and the miss written to it; the
log's record on disk before the reply. "Everything off": one key without a limit, counts in memory, no cache, no user agent, no
retry; the log is always written.

${tables.join('\n\n')}

## Where the time goes

CPU of the main thread in \`${peer}\`, 300 B, 50 in flight, by the part of the code (\`npm run bench -- profile\`); what a part
calls in Node.js is its own.

| part | % |
|---|---|
${parts.map(({ part, percent }) => `| ${part} | ${percent} |`).join('\n')}

The same as a flame graph: a box for each function, as wide as the CPU that it and what it called took, and below it what it
called. A \`send\` is many of them, since after each \`await\` its stack begins anew; they stand by their size, not by time, and
what took less than 0.4 % is left out. Opened by itself, [the picture](flame-graph.svg) names each box under the pointer.

![Flame graph of a send with everything on](flame-graph.svg)

## Over a long time

${exchanges} exchanges with everything on, 50 in flight (\`npm run bench -- soak\`): the heap after a collection changed by
${bytesPerExchange} bytes per exchange, and at most ${mostSockets} sockets were open.
`;
writeFileSync(join(root, 'docs/performance.md'), text);
