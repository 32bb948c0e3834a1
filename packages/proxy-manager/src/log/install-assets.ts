import type { Client } from '@elastic/elasticsearch';
import type { Asset } from './assets.js';
import { assets } from './assets.js';

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Makes or updates every asset. It may run again, and in several processes at once; a template that a newer release
 * installed stays as it is. Rejects when Elasticsearch is away or refuses.
 */
export async function installAssets(client: Client): Promise<void> {
  for (const asset of assets()) {
    if (asset.kind === 'index') await createIndex(client, asset);
    else await installTemplate(client, asset);
  }
}

const ensured = new WeakMap<Client, Promise<void>>();

/** `installAssets` once per client: later calls get the same promise, or try again where it failed. */
export function ensureAssets(client: Client): Promise<void> {
  let done = ensured.get(client);
  if (done === undefined) {
    done = installAssets(client);
    ensured.set(client, done);
    done.catch(() => ensured.delete(client));
  }
  return done;
}

/** What `GET _component_template/x` and `GET _index_template/x` answer, as far as it matters here. */
interface InstalledTemplates {
  readonly component_templates?: readonly { readonly component_template: { readonly version?: number } }[];
  readonly index_templates?: readonly { readonly index_template: { readonly version?: number } }[];
}

async function installTemplate(client: Client, { path, body }: Asset): Promise<void> {
  const found = await client.transport.request<InstalledTemplates>(
    { method: 'GET', path: `/${path}` },
    { ignore: [404], requestTimeout: REQUEST_TIMEOUT_MS },
  );
  const installed =
    found.component_templates?.[0]?.component_template.version ?? found.index_templates?.[0]?.index_template.version;
  if (installed !== undefined && installed >= Number(body['version'])) return;
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, { requestTimeout: REQUEST_TIMEOUT_MS });
}

async function createIndex(client: Client, { path, body }: Asset): Promise<void> {
  const options = { requestTimeout: REQUEST_TIMEOUT_MS };
  if (await client.indices.exists({ index: path }, options)) return;
  // 400: another process was faster.
  await client.transport.request({ method: 'PUT', path: `/${path}`, body }, { ...options, ignore: [400] });
}
