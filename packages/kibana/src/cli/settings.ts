import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ConnectionOptions } from '../connection.js';
import { KibanaError } from '../kibana-error.js';

export const USAGE = `npx @proxy-manager/kibana <command> [options]

  import   waits for Kibana and imports data view, saved searches and dashboards; may run again
  export   writes the file for an import by hand
  rules    makes three alert rules, without actions; may run again
  check    says whether templates, fields, data and dashboards are there

  --url <url>            of Kibana, with its base path             KIBANA_URL, else http://localhost:5601
  --elasticsearch <url>  check: of Elasticsearch                   ELASTICSEARCH_URL
  --space <id>           of Kibana                                 KIBANA_SPACE
  --api-key <key>        for both servers                          KIBANA_API_KEY
  --username <name>                                                KIBANA_USERNAME
  --password <password>                                            KIBANA_PASSWORD
  --ca <file>            certificates to trust, PEM                KIBANA_CA
  --wait <seconds>       import, rules: for Kibana to be ready     60
  --no-overwrite         import: leave alone what is there
  --minutes <number>     rules: without an exchange                15
  --out <file>           export: where to, - for standard output   proxy-manager.ndjson

Exit codes: 0 done, 1 refused or something is missing, 2 wrong usage, 3 a server cannot be reached.
`;

/** The command line and the environment, checked. */
export interface Settings {
  readonly command: 'check' | 'export' | 'import' | 'rules';
  /** Undefined where neither an option nor the environment names it. */
  readonly kibana: ConnectionOptions | undefined;
  readonly elasticsearch: ConnectionOptions | undefined;
  readonly space: string;
  readonly waitMs: number;
  readonly overwrite: boolean;
  readonly quietMinutes: number;
  readonly out: string;
}

const text = { type: 'string' } as const;

/**
 * Undefined: help is asked for.
 *
 * @throws {KibanaError} `ERR_KIBANA_OPTIONS`
 */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) return undefined;
  const [command, ...others] = positionals;
  if (command !== 'import' && command !== 'export' && command !== 'check' && command !== 'rules') {
    throw wrong(`expected import, export, rules or check, found ${command === undefined ? 'nothing' : `"${command}"`}`);
  }
  if (others.length > 0) throw wrong(`what is "${others.join(' ')}"?`);
  const login = {
    ...given('apiKey', values['api-key'] ?? env['KIBANA_API_KEY']),
    ...given('username', values.username ?? env['KIBANA_USERNAME']),
    ...given('password', values.password ?? env['KIBANA_PASSWORD']),
    ...certificates(values.ca ?? env['KIBANA_CA']),
  };
  const url = values.url ?? env['KIBANA_URL'];
  const elasticsearch = values.elasticsearch ?? env['ELASTICSEARCH_URL'];
  return {
    command,
    kibana: url ? { ...login, url } : undefined,
    elasticsearch: elasticsearch ? { ...login, url: elasticsearch } : undefined,
    space: (values.space ?? env['KIBANA_SPACE']) || 'default',
    waitMs: seconds(values.wait) * 1000,
    quietMinutes: Number(values.minutes ?? 15),
    overwrite: values['no-overwrite'] !== true,
    out: values.out ?? 'proxy-manager.ndjson',
  };
}

const FLAGS = {
  url: text,
  elasticsearch: text,
  space: text,
  'api-key': text,
  username: text,
  password: text,
  ca: text,
  wait: text,
  minutes: text,
  out: text,
  'no-overwrite': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof FLAGS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: FLAGS });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

/** An empty variable is none. */
function given(name: 'apiKey' | 'password' | 'username', value: string | undefined): Record<string, string> {
  return value ? { [name]: value } : {};
}

function certificates(file: string | undefined): { ca?: Buffer } {
  if (!file) return {};
  try {
    return { ca: readFileSync(file) };
  } catch (error) {
    throw wrong(`--ca ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function seconds(value: string | undefined): number {
  const number = Number(value ?? 60);
  if (value === '' || !Number.isFinite(number) || number < 0) throw wrong(`--wait: expected seconds, found "${value}"`);
  return number;
}

function wrong(message: string): KibanaError {
  return new KibanaError('ERR_KIBANA_OPTIONS', message);
}
