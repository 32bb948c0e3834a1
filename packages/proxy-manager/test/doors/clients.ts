import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import axios, { AxiosHeaders } from 'axios';
import type { AxiosInstance, AxiosResponse } from 'axios';
import { onTestFinished } from 'vitest';
import type { RequestDefaults } from '../../src/config/options.js';
import type { SecretsFile } from '../../src/config/secrets-file.js';
import { Request } from '../../src/request.js';
import { bodyOf, startOrigin, type Handler, type Origin } from '../servers/origin.js';
import type { Certificate } from '../servers/certificate.js';

/** One request as the server saw it. */
export interface Hit {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Api extends Origin {
  readonly hits: readonly Hit[];
}

/** A server of one test that remembers what it was sent, and answers when it has it all. */
export async function startApi(
  answer: (hit: Hit, ...more: [res: Parameters<Handler>[1], req: Parameters<Handler>[0]]) => unknown,
  certificate?: Certificate,
): Promise<Api> {
  const hits: Hit[] = [];
  const origin = await startOrigin(async (req, res) => {
    const body = (await bodyOf(req)).toString();
    const hit = { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body };
    hits.push(hit);
    await answer(hit, res, req);
  }, certificate);
  onTestFinished(() => origin.close());
  return Object.assign(origin, { hits });
}

/** A Request with all its state in memory or in a directory of the test. */
export function startRequest(
  options: RequestDefaults & { readonly dataDir?: string; readonly secrets?: SecretsFile } = {},
): Request {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'proxy-manager-doors-'));
  const request = new Request({
    endpoint: 'api',
    secrets: { key_based: { api: { keys: ['the-secret-key'], apply: { headers: { 'x-api-key': '{key}' } } } } },
    usage: 'memory',
    userAgent: false,
    retry: { attempts: 1 },
    dataDir,
    ...options,
  });
  onTestFinished(async () => {
    await request.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  return request;
}

/** Bare axios, and the door that passes for it. */
export function startBoth(options: Parameters<typeof startRequest>[0] = {}): {
  bare: AxiosInstance;
  ours: AxiosInstance;
} {
  return { bare: axios.create({ proxy: false }), ours: startRequest(options).axios };
}

/** Of this connection and moment, and the length of a body that was decoded since, which axios leaves standing. */
const NOT_COMPARED = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

/** What a caller sees of a response, in data that can be compared. */
async function seen({ status, statusText, headers, data, request }: AxiosResponse): Promise<object> {
  const fields = Object.entries(AxiosHeaders.from(headers as AxiosHeaders).toJSON());
  const { path } = (request ?? {}) as { path?: string };
  return {
    status,
    statusText,
    headers: Object.fromEntries(fields.filter(([name]) => !NOT_COMPARED.has(name))),
    isStream: data instanceof Readable,
    data: data instanceof Readable ? await text(data) : (data as unknown),
    path,
  };
}

/** What a caller sees of a failure, in data that can be compared. */
async function seenError(error: unknown): Promise<object> {
  if (!(error instanceof Error)) return { thrown: error };
  const { response, config, isAxiosError, code, status } = error as Error & Partial<import('axios').AxiosError>;
  return {
    message: error.message,
    code,
    status,
    isAxiosError,
    isCancel: axios.isCancel(error),
    url: config?.url,
    response: response && (await seen(response)),
  };
}

/** How `call` ends with this client. */
export async function ending(call: Promise<unknown>): Promise<object> {
  return call.then(
    async (response) => ({ response: await seen(response as AxiosResponse) }),
    async (error: unknown) => ({ error: await seenError(error) }),
  );
}
