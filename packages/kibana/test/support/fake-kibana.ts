import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Reference } from '../../src/saved-object.js';

/** Answers as Kibana 8.12.2 was seen to: it cannot be run where the tests are. */
export interface FakeKibana {
  readonly url: string;
  /** The ids in a space. */
  ids(space?: string): string[];
  /** Paths asked for, in order. */
  readonly asked: readonly string[];
  /** The bodies of the alert rules, by id. */
  readonly rules: ReadonlyMap<string, object>;
}

export interface FakeSettings {
  readonly version?: string;
  /** How many looks at its status find it starting. */
  readonly startsAfter?: number;
  /** The `authorization` header that is taken; without one none is asked for. */
  readonly authorization?: string;
  /** The login may read and not write. */
  readonly isReadOnly?: boolean;
  readonly maxPayloadBytes?: number;
  readonly basePath?: string;
  /** It speaks https. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly spaces?: readonly string[];
  /** Its kibana.yml holds no key for what is encrypted. */
  readonly hasNoEncryptionKey?: boolean;
  /** The newest version of the dashboard type that it knows. */
  readonly knownDashboard?: string;
}

interface Line {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  readonly typeMigrationVersion: string;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const DASHBOARD_KEYS = new Set(
  'title description kibanaSavedObjectMeta timeRestore timeFrom timeTo refreshInterval controlGroupInput panelsJSON optionsJSON hits version'.split(
    ' ',
  ),
);
const RULE_KEYS = new Set(['name', 'tags', 'schedule', 'params', 'actions', 'rule_type_id', 'consumer']);
const NO_KEY =
  'Unable to create alerts client because the Encrypted Saved Objects plugin is missing encryption key. Please set xpack.encryptedSavedObjects.encryptionKey in the kibana.yml or use the bin/kibana-encryption-keys command.';
const ERRORS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  422: 'Unprocessable Entity',
};

function failure(status: number, message: string, more: object = {}): Reply {
  return { status, body: { statusCode: status, error: ERRORS[status], message, ...more } };
}

export async function startFakeKibana(settings: FakeSettings = {}): Promise<FakeKibana> {
  const { basePath = '', spaces = ['default'] } = settings;
  const stores = new Map(spaces.map((space) => [space, new Map<string, Line>()]));
  const asked: string[] = [];
  const rules = new Map<string, object>();
  let looks = 0;

  async function answer(req: IncomingMessage): Promise<Reply> {
    const url = new URL(req.url ?? '/', 'http://kibana');
    asked.push(url.pathname);
    const body = await read(req);
    if (!url.pathname.startsWith(`${basePath}/`)) return { status: 404, body: '404 page not found' };
    const path = url.pathname.slice(basePath.length);
    if (path === '/api/status' && looks++ < (settings.startsAfter ?? 0)) {
      return { status: 503, body: 'Kibana server is not ready yet' };
    }
    if (settings.authorization !== undefined && req.headers.authorization !== settings.authorization) {
      return failure(401, 'Unauthorized');
    }
    if (path === '/api/status') return status();
    if (path.startsWith('/api/spaces/space/')) {
      const id = path.split('/').at(-1) ?? '';
      return spaces.includes(id) ? { status: 200, body: { id } } : failure(404, 'Not Found');
    }
    const [, space = 'default', route] = /^(?:\/s\/([^/]+))?(\/api\/.*)$/.exec(path) ?? [];
    const store = stores.get(space) ?? new Map<string, Line>();
    if (req.headers['kbn-xsrf'] === undefined) return failure(400, 'Request must contain a kbn-xsrf header.');
    if (route === '/api/saved_objects/_import')
      return importInto(store, req, body, url.searchParams.get('overwrite') === 'true');
    const rule = /^\/api\/alerting\/rule\/([^/]+)$/.exec(route ?? '')?.[1];
    if (rule !== undefined) return ruleInto(rule, req, body);
    if (route === '/api/saved_objects/_export') return exportFrom(store, body);
    return failure(404, 'Not Found');
  }

  function status(): Reply {
    const overall = { level: 'available', summary: 'All services and plugins are available' };
    return {
      status: 200,
      body: { name: 'fake', version: { number: settings.version ?? '8.12.2' }, status: { overall } },
    };
  }

  function importInto(store: Map<string, Line>, req: IncomingMessage, body: Buffer, overwrite: boolean): Reply {
    const limit = settings.maxPayloadBytes ?? 26_214_400;
    if (body.length > limit) return failure(413, `Payload content length greater than maximum allowed: ${limit}`);
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(req.headers['content-type'] ?? '')?.[1];
    const part = body.toString().split(`--${boundary}`)[1] ?? '';
    const end = part.indexOf('\r\n\r\n');
    const head = part.slice(0, end);
    const text = part.slice(end + 4);
    if (!/name="file"; filename="[^"]+\.ndjson"/.test(head)) return failure(400, 'Invalid file extension');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const keys = lines.map(({ type, id }) => `${type}:${id}`);
    if (new Set(keys).size < keys.length) {
      return failure(400, `Non-unique import objects detected: [${keys.join(',')}]`);
    }
    if (settings.isReadOnly) return failure(403, 'Unable to bulk_create dashboard,index-pattern,search');
    const known = settings.knownDashboard ?? '8.9.0';
    for (const { type, id, typeMigrationVersion } of lines) {
      if (type === 'dashboard' && typeMigrationVersion > known) {
        const message = `Document "${id}" belongs to a more recent version of Kibana [${typeMigrationVersion}] when the last known version is [${known}].`;
        return failure(422, message);
      }
    }
    const errors = lines.flatMap((line) =>
      mistake(line, new Set([...keys, ...store.keys()]), overwrite ? undefined : store),
    );
    if (errors.length > 0) return { status: 200, body: { success: false, successCount: 0, errors } };
    for (const [index, line] of lines.entries()) store.set(keys[index] ?? '', line);
    const successResults = lines.map(({ type, id }) => ({ type, id, overwrite }));
    return { status: 200, body: { success: true, successCount: lines.length, successResults } };
  }

  function ruleInto(id: string, req: IncomingMessage, body: Buffer): Reply {
    if (settings.hasNoEncryptionKey) return failure(403, NO_KEY);
    if (settings.isReadOnly) return failure(403, 'Unauthorized by "logs" to create a rule');
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
      return failure(
        400,
        'Predefined IDs are not allowed for saved objects with encrypted attributes unless the ID is a UUID.',
      );
    }
    if (req.method !== 'POST') return failure(404, 'Not Found');
    const rule = JSON.parse(body.toString()) as Record<string, unknown>;
    const unknown = Object.keys(rule).find((key) => !RULE_KEYS.has(key));
    if (unknown !== undefined) return failure(400, `[request body.${unknown}]: definition for this key is missing`);
    if (rules.has(id)) return failure(409, `Saved object [alert/${id}] conflict`);
    rules.set(id, rule);
    return { status: 200, body: { id } };
  }

  const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
    void answer(req).then((reply) => respond(res, reply));
  };
  const { certificate } = settings;
  const server = certificate === undefined ? createServer(onRequest) : createTlsServer(certificate, onRequest);
  await listen(server);
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    ids: (space = 'default') => [...(stores.get(space)?.keys() ?? [])],
    asked,
    rules,
  };
}

function mistake(line: Line, known: ReadonlySet<string>, taken: ReadonlyMap<string, Line> | undefined): object[] {
  const { type, id, attributes, references } = line;
  const because = (error: object): object[] => [{ type, id, meta: { title: attributes['title'] }, error }];
  if (taken?.has(`${type}:${id}`)) return because({ type: 'conflict' });
  const missing = references.filter(
    (reference) =>
      ['index-pattern', 'search'].includes(reference.type) && !known.has(`${reference.type}:${reference.id}`),
  );
  if (missing.length > 0)
    return because({
      type: 'missing_references',
      references: missing.map(({ type: of, id: to }) => ({ type: of, id: to })),
    });
  const unknown = type === 'dashboard' ? Object.keys(attributes).find((key) => !DASHBOARD_KEYS.has(key)) : undefined;
  if (unknown === undefined) return [];
  return because({
    type: 'unknown',
    statusCode: 400,
    message: `[attributes.${unknown}]: definition for this key is missing`,
  });
}

function exportFrom(store: ReadonlyMap<string, Line>, body: Buffer): Reply {
  const { objects } = JSON.parse(body.toString()) as { readonly objects: readonly Line[] };
  const missing = objects.filter(({ type, id }) => !store.has(`${type}:${id}`));
  if (missing.length === 0) return { status: 200, body: objects.map(({ id }) => `{"id":"${id}"}`).join('\n') };
  const told = missing.map(({ type, id }) => ({
    id,
    type,
    error: { statusCode: 404, error: 'Not Found', message: `Saved object [${type}/${id}] not found` },
  }));
  return failure(400, 'Error fetching objects to export', { attributes: { objects: told } });
}

async function read(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function respond(res: ServerResponse, { status, body }: Reply): void {
  const isText = typeof body === 'string';
  res.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' });
  res.end(isText ? body : JSON.stringify(body));
}

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
}
