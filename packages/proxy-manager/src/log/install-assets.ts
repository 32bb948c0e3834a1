import type { Client } from '@elastic/elasticsearch';
import type { Asset, AssetOptions } from './assets.js';
import { assets, LOG_DATA_STREAM } from './assets.js';

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Makes or updates every asset. It may run again, and in several processes at once; a template that a newer release
 * installed stays as it is. A stream that is there already is brought onto new templates by a rollover, and onto a new
 * retention. Rejects when Elasticsearch is away or refuses, and when `signal` is aborted.
 */
export async function installAssets(client: Client, signal?: AbortSignal, chosen: AssetOptions = {}): Promise<void> {
  const options = { requestTimeout: REQUEST_TIMEOUT_MS, ...(signal && { signal }) };
  const upgrades: Asset[] = [];
  for (const asset of assets(chosen)) {
    if (asset.kind === 'index') await createIndex(client, asset, options);
    else if ((await installTemplate(client, asset, options)) === 'upgrading') upgrades.push(asset);
  }
  if (upgrades.some(isOfLog)) await rollOver(client, options);
  for (const { path, body } of upgrades) await putTemplate(client, path, body, options);
}

/**
 * The present backing index keeps its mapping for good, so that the next documents need a new one; an empty one is left
 * as it is, as another process that does the same may just have made it. Who may not do it goes on with dynamic mapping.
 */
async function rollOver(client: Client, options: RequestOptions): Promise<void> {
  const stream = `/${LOG_DATA_STREAM}`;
  // Only what is searchable counts as a document.
  await client.transport.request({ method: 'POST', path: `${stream}/_refresh` }, { ...options, ignore: [403, 404] });
  await client.transport.request(
    { method: 'POST', path: `${stream}/_rollover`, body: { conditions: { max_docs: 1 } } },
    { ...options, ignore: [403, 404] },
  );
}

/** Tells the stream itself: its template is asked only when it is made. Servers without lifecycles answer 400 or 405. */
async function keepFor(client: Client, retention: string, options: RequestOptions): Promise<void> {
  await client.transport.request(
    { method: 'PUT', path: `/_data_stream/${LOG_DATA_STREAM}/_lifecycle`, body: { data_retention: retention } },
    { ...options, ignore: [400, 403, 404, 405] },
  );
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
export async function ensureAssets(client: Client, signal?: AbortSignal, chosen: AssetOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  const installation = installations.get(client) ?? install(client, chosen);
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

function install(client: Client, chosen: AssetOptions): Installation {
  const giveUp = new AbortController();
  const installation = { done: installAssets(client, giveUp.signal, chosen), giveUp, waiting: 0 };
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
  readonly component_templates?: readonly { readonly component_template: Template }[];
  readonly index_templates?: readonly { readonly index_template: Template }[];
}

interface Template {
  readonly version?: number;
  readonly template?: { readonly lifecycle?: { readonly data_retention?: string } };
}

/** `upgrading`: one of an older release was replaced, whose version stays until the stream has been rolled over. */
async function installTemplate(
  client: Client,
  { path, body }: Asset,
  options: RequestOptions,
): Promise<'kept' | 'made' | 'upgrading'> {
  const found = await client.transport.request<InstalledTemplates>(
    { method: 'GET', path: `/${path}` },
    { ...options, ignore: [404] },
  );
  const installed = found.component_templates?.[0]?.component_template ?? found.index_templates?.[0]?.index_template;
  const ours: Template = body;
  const [version = 0, shipped = 0] = [installed?.version, ours.version];
  const retention = ours.template?.lifecycle?.data_retention;
  const isKept = installed?.template?.lifecycle?.data_retention === retention;
  if (installed !== undefined && (version > shipped || (version === shipped && isKept))) return 'kept';
  // First the stream: who fails in between finds by the template that it is still to be told.
  if (installed !== undefined && !isKept && retention !== undefined) await keepFor(client, retention, options);
  const isUpgrade = installed !== undefined && version < shipped;
  await putTemplate(client, path, isUpgrade ? { ...body, version } : body, options);
  return isUpgrade ? 'upgrading' : 'made';
}

async function putTemplate(client: Client, path: string, body: Asset['body'], options: RequestOptions): Promise<void> {
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, options);
}

function isOfLog({ kind, path }: Asset): boolean {
  return kind === 'component-template' || path.endsWith('exchange');
}

async function createIndex(client: Client, { path, body }: Asset, options: RequestOptions): Promise<void> {
  if (await client.indices.exists({ index: path }, options)) return;
  // 400: another process was faster.
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, { ...options, ignore: [400] });
}
