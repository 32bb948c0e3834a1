import type { Client } from '@elastic/elasticsearch';
import type { Asset } from './assets.js';
import { assets } from './assets.js';

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Makes or updates every asset. It may run again, and in several processes at once; a template that a newer release
 * installed stays as it is. Rejects when Elasticsearch is away or refuses, and when `signal` is aborted.
 */
export async function installAssets(client: Client, signal?: AbortSignal): Promise<void> {
  const options = { requestTimeout: REQUEST_TIMEOUT_MS, ...(signal && { signal }) };
  for (const asset of assets()) {
    if (asset.kind === 'index') await createIndex(client, asset, options);
    else await installTemplate(client, asset, options);
  }
}

/** One run of `installAssets`, given up when the last of those who wait for it has left. */
interface Installation {
  readonly done: Promise<void>;
  readonly giveUp: AbortController;
  waiting: number;
}

const installations = new WeakMap<Client, Installation>();

/**
 * `installAssets` once per client: later calls wait for the same run, or try again where it failed. A caller whose
 * `signal` is aborted leaves, and rejects with its reason; one without a signal stays to the end.
 */
export async function ensureAssets(client: Client, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const installation = installations.get(client) ?? install(client);
  installation.waiting += 1;
  let leave = (): void => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => {
      installation.waiting -= 1;
      if (installation.waiting === 0) installation.giveUp.abort(signal?.reason);
      reject(signal?.reason as Error);
    };
  });
  signal?.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([installation.done, left]);
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

function install(client: Client): Installation {
  const giveUp = new AbortController();
  const installation = { done: installAssets(client, giveUp.signal), giveUp, waiting: 0 };
  installations.set(client, installation);
  const forget = (): void => {
    if (installations.get(client) === installation) installations.delete(client);
  };
  // At once where it was given up: the next caller must not wait for what is ending.
  giveUp.signal.addEventListener('abort', forget);
  installation.done.catch(forget);
  return installation;
}

interface RequestOptions {
  readonly requestTimeout: number;
  readonly signal?: AbortSignal;
}

/** What `GET _component_template/x` and `GET _index_template/x` answer, as far as it matters here. */
interface InstalledTemplates {
  readonly component_templates?: readonly { readonly component_template: { readonly version?: number } }[];
  readonly index_templates?: readonly { readonly index_template: { readonly version?: number } }[];
}

async function installTemplate(client: Client, { path, body }: Asset, options: RequestOptions): Promise<void> {
  const found = await client.transport.request<InstalledTemplates>(
    { method: 'GET', path: `/${path}` },
    { ...options, ignore: [404] },
  );
  const installed =
    found.component_templates?.[0]?.component_template.version ?? found.index_templates?.[0]?.index_template.version;
  if (installed !== undefined && installed >= Number(body['version'])) return;
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, options);
}

async function createIndex(client: Client, { path, body }: Asset, options: RequestOptions): Promise<void> {
  if (await client.indices.exists({ index: path }, options)) return;
  // 400: another process was faster.
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, { ...options, ignore: [400] });
}
