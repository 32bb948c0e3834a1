import { statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { bareError, ConfigError } from '../errors.js';
import type { Endpoints } from './resolve.js';
import { loadSecrets, secretsFile } from './secrets.js';

/** How often the file is looked at, in ms. */
const EVERY_MS = 250;

/** secrets.json as it was read first, and what tells of its changes. */
export interface WatchedSecrets {
  readonly endpoints: Endpoints;
  /** Calls `onChange` with every later version; one that is wrong becomes a Node.js warning. Keeps no process alive. */
  start(onChange: (endpoints: Endpoints) => void): void;
  close(): void;
}

/**
 * Reads secrets.json, and again whenever it has changed. A state of the file counts once two looks in a row have seen
 * it, so that nobody meets one that is half written, or away while an editor puts another in its place.
 *
 * @throws {ConfigError} as `loadSecrets`.
 */
export function watchSecrets(
  source: string | URL | undefined,
  options: { readonly fingerprintKey?: string | undefined },
): WatchedSecrets {
  const file = secretsFile(source);
  // Before it is read, so that what changes meanwhile is seen as a change.
  let seen = initialState(file);
  let taken = seen;
  const endpoints = loadSecrets(source, options);
  let timer: NodeJS.Timeout | undefined;
  let isLooking = false;

  async function look(onChange: (endpoints: Endpoints) => void): Promise<void> {
    const state = await stat(file, { bigint: true }).then(stateOf, absenceOf);
    const isSettled = state === seen;
    seen = state;
    if (timer === undefined || !isSettled || state === taken) return;
    taken = state;
    try {
      onChange(loadSecrets(file, options));
    } catch (error) {
      warn(error);
    }
  }

  return {
    endpoints,
    start(onChange) {
      timer = setInterval(() => {
        if (isLooking) return;
        isLooking = true;
        void look(onChange).finally(() => {
          isLooking = false;
        });
      }, EVERY_MS);
      timer.unref();
    },
    close() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

function initialState(file: string): string {
  try {
    return stateOf(statSync(file, { bigint: true }));
  } catch (error) {
    return absenceOf(error);
  }
}

/** Another one for another file of that name, and for another content. */
function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function absenceOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function warn(error: unknown): void {
  // Ours tell of mistakes without the secrets; of whatever else, no more than it says.
  const { message } = error instanceof ConfigError ? error : bareError(error);
  const warning = new Error(
    `secrets.json has changed and is not taken, what it said before stays in force. ${message}`,
  );
  warning.name = 'SecretsWarning';
  process.emitWarning(warning);
}
