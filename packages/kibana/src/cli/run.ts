import { writeFileSync } from 'node:fs';
import { check } from '../check.js';
import { importDashboards } from '../import.js';
import { connect } from '../connection.js';
import type { ConnectionOptions } from '../connection.js';
import { KibanaError } from '../kibana-error.js';
import type { KibanaErrorCode } from '../kibana-error.js';
import { ndjson } from '../ndjson.js';
import { importRules } from '../rules/import-rules.js';
import { progressOn } from './progress.js';
import { USAGE, readSettings } from './settings.js';
import type { Settings } from './settings.js';

const EXIT_CODES: Readonly<Record<KibanaErrorCode, number>> = {
  ERR_KIBANA_REFUSED: 1,
  ERR_KIBANA_VERSION: 1,
  ERR_KIBANA_OPTIONS: 2,
  ERR_KIBANA_UNREACHABLE: 3,
};

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Runs one command, and resolves with the exit code. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv, streams: Streams): Promise<number> {
  try {
    const settings = readSettings(args, env);
    if (settings === undefined) {
      streams.stdout.write(USAGE);
      return 0;
    }
    return await COMMANDS[settings.command](settings, streams);
  } catch (error) {
    if (!(error instanceof KibanaError)) throw error;
    streams.stderr.write(`${error.message}\n${error.code === 'ERR_KIBANA_OPTIONS' ? `\n${USAGE}` : ''}`);
    return EXIT_CODES[error.code];
  }
}

const LOCAL: ConnectionOptions = { url: 'http://localhost:5601' };

/** Shows a line as long as Kibana is waited for: how long at most, where it is looked for, and what is wrong with it. */
async function waiting<T>(
  { kibana = LOCAL, waitMs }: Settings,
  stream: NodeJS.WriteStream,
  work: (onWait: (reason: string, waitedMs: number) => void) => Promise<T>,
): Promise<T> {
  const progress = progressOn(stream);
  const what = `waiting up to ${waitMs / 1000} s for Kibana: ${connect(kibana).base}`;
  try {
    return await work((reason, waitedMs) => progress.show(`${what} ${reason} … ${Math.round(waitedMs / 1000)} s`));
  } finally {
    progress.clear();
  }
}

type Command = (settings: Settings, streams: Streams) => Promise<number>;

const COMMANDS: Readonly<Record<Settings['command'], Command>> = {
  async import(settings, { stdout, stderr }) {
    const { kibana = LOCAL, space, waitMs, overwrite } = settings;
    const { count, kibanaVersion, url, warnings } = await waiting(settings, stderr, (onWait) =>
      importDashboards({ ...kibana, space, waitMs, overwrite, onWait }),
    );
    for (const warning of warnings) stderr.write(`${warning}\n`);
    stdout.write(`${count} objects are in Kibana ${kibanaVersion}: ${url}\n`);
    return 0;
  },

  async rules(settings, { stdout, stderr }) {
    const { kibana = LOCAL, space, waitMs, quietMinutes } = settings;
    const made = await waiting(settings, stderr, (onWait) =>
      importRules({ ...kibana, space, waitMs, quietMinutes, onWait }),
    );
    for (const { name, isNew } of made) stdout.write(`${isNew ? 'made ' : 'there'} ${name}\n`);
    if (made.some(({ isNew }) => isNew))
      stdout.write('They tell nobody yet: add actions in Stack Management, Rules.\n');
    return 0;
  },

  async export({ out }, { stdout }) {
    const file = ndjson();
    if (out === '-') stdout.write(file);
    else {
      write(out, file);
      stdout.write(
        `${out}: ${file.trimEnd().split('\n').length} objects. Import it in Stack Management, Saved Objects.\n`,
      );
    }
    return 0;
  },

  async check({ elasticsearch, kibana, space }, { stdout }) {
    if (elasticsearch === undefined && kibana === undefined) {
      throw new KibanaError('ERR_KIBANA_OPTIONS', 'check: give --elasticsearch or --url, or both');
    }
    const findings = await check({
      ...(elasticsearch && { elasticsearch }),
      ...(kibana && { kibana: { ...kibana, space } }),
    });
    for (const { ok, text } of findings) stdout.write(`${ok ? 'ok     ' : 'MISSING'} ${text}\n`);
    return findings.every(({ ok }) => ok) ? 0 : 1;
  },
};

function write(out: string, file: string): void {
  try {
    writeFileSync(out, file);
  } catch (cause) {
    throw new KibanaError('ERR_KIBANA_OPTIONS', `--out: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
