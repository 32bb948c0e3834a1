// What the log adds to an exchange, and how fast it is shipped: npm run bench -- log. Elasticsearch where ELASTICSEARCH_URL says.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Costs {
  /** µs of CPU per exchange, with one and with fifty in flight. */
  readonly cost: { readonly alone: number; readonly together: number };
  /** Documents per second. */
  readonly rate?: { readonly log: number; readonly bulk: number; readonly ratio: number };
}

const program = fileURLToPath(new URL('../support/log-costs.mjs', import.meta.url));
const { cost, rate } = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as Costs;

console.log(
  `Record and spool, CPU per exchange, median of 7 rounds of 5000, Node ${process.version}; goal: 15 µs at most`,
);
console.table({
  '50 in flight': { µs: cost.together.toFixed(1) },
  '1 in flight': { µs: cost.alone.toFixed(1) },
});
if (rate === undefined) console.log('Shipping: set ELASTICSEARCH_URL to see it beside a loop over client.bulk.');
else {
  console.log('Shipping, documents per second, 5000 a round, in turn; goal: 0.9 of the loop at least');
  console.table({
    'a loop over client.bulk, 500 a batch': { 'documents/s': Math.round(rate.bulk), ratio: '1.00' },
    'the log, spool included': { 'documents/s': Math.round(rate.log), ratio: rate.ratio.toFixed(2) },
  });
}
