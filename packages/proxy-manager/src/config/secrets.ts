import type { Endpoints } from './resolve.js';

/** The content of secrets.json. */
export interface SecretsFile {
  readonly [section: string]: unknown;
}

/** Reads and checks secrets.json; every mistake at once in one `ConfigError`. */
export declare function loadSecrets(
  source: string | URL | SecretsFile | undefined,
  options: { readonly fingerprintKey?: string | undefined },
): Endpoints;
