import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly dataDir: string;
  /** Where the numbers are written as JSON too. */
  readonly json: string | undefined;
  readonly elasticsearch: string | undefined;
  readonly redis: string | undefined;
  readonly kibana: string | undefined;
}

const USAGE = `npm run demo -- [--data-dir <folder>] [--json <file>]

  --data-dir  where counts, cache and log are kept (default: .proxy-manager in the repository)
  --json      write the final numbers there too

  ELASTICSEARCH_URL  keep the cache and the log there
  REDIS_URL          keep the usage counts there
  KIBANA_URL         where the log can be looked at, for the last lines of the output
`;

/** The folder of the repository; this file runs as examples/dist/demo/options.js. */
const ROOT = new URL('../../../', import.meta.url);

/** The flags and the environment, or undefined after the usage was printed. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): DemoOptions | undefined {
  const { values } = parseArgs({
    args,
    options: { 'data-dir': { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return undefined;
  }
  return {
    dataDir: values['data-dir'] ?? fileURLToPath(new URL('.proxy-manager', ROOT)),
    json: values.json,
    elasticsearch: env['ELASTICSEARCH_URL'] || undefined,
    redis: env['REDIS_URL'] || undefined,
    kibana: env['KIBANA_URL'] || undefined,
  };
}
