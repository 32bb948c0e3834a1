type Properties = Readonly<Record<string, object>>;

/** Longer values stay readable in the document, but are not indexed: Elasticsearch would refuse the whole document else. */
const keyword = { type: 'keyword', ignore_above: 1024 };
const longKeyword = { type: 'keyword', ignore_above: 2048 };
const text = { type: 'text' };
const searchableKeyword = { ...keyword, fields: { text } };
const long = { type: 'long' };
const float = { type: 'float' };
const boolean = { type: 'boolean' };
const date = { type: 'date' };
const ip = { type: 'ip' };
const flattened = { type: 'flattened', ignore_above: 1024 };
/** To be read only, however long. */
const unindexed = { type: 'keyword', index: false, doc_values: false };

function object(properties: Properties): object {
  return { properties };
}

const id = object({ id: keyword });
const body = object({ bytes: long, content: unindexed });
const endpoint = object({ address: keyword, domain: keyword, ip, port: long, bytes: long });

/** How Elasticsearch indexes a record: the ECS fields that one can hold, and those of our own under `proxy_manager`. */
export const LOG_MAPPINGS: Readonly<Record<string, unknown>> = {
  date_detection: false,
  numeric_detection: false,
  dynamic_templates: [{ strings: { match_mapping_type: 'string', mapping: keyword } }],
  properties: {
    '@timestamp': date,
    message: text,
    labels: { type: 'object' },
    ecs: object({ version: keyword }),
    log: object({ level: keyword, logger: keyword }),
    data_stream: object({ type: keyword, dataset: keyword, namespace: keyword }),
    event: object({
      id: keyword,
      sequence: long,
      kind: keyword,
      category: keyword,
      type: keyword,
      dataset: keyword,
      module: keyword,
      action: keyword,
      reason: keyword,
      outcome: keyword,
      duration: long,
      start: date,
      end: date,
    }),
    http: object({
      version: keyword,
      request: object({
        id: keyword,
        method: keyword,
        bytes: long,
        mime_type: keyword,
        referrer: longKeyword,
        headers: flattened,
        body,
      }),
      response: object({ status_code: long, bytes: long, mime_type: keyword, headers: flattened, body }),
    }),
    url: object({
      full: longKeyword,
      original: longKeyword,
      scheme: keyword,
      domain: keyword,
      registered_domain: keyword,
      top_level_domain: keyword,
      subdomain: keyword,
      port: long,
      path: longKeyword,
      extension: keyword,
      query: longKeyword,
      fragment: keyword,
    }),
    user_agent: object({ original: searchableKeyword }),
    server: endpoint,
    destination: endpoint,
    source: object({ bytes: long }),
    network: object({ protocol: keyword, transport: keyword, direction: keyword }),
    error: object({ type: keyword, code: keyword, message: text, stack_trace: unindexed }),
    service: object({ name: keyword, version: keyword, environment: keyword, node: object({ name: keyword }) }),
    host: object({ name: keyword }),
    process: object({ pid: long }),
    trace: id,
    span: id,
    related: object({ hosts: keyword, ip }),
    proxy_manager: object({
      endpoint: keyword,
      route: keyword,
      verdict: keyword,
      session: keyword,
      account: id,
      credential: id,
      proxy: id,
      cache: object({ status: keyword, key: keyword, age_ms: long, ttl_s: long }),
      attempt: object({ number: long, max: long }),
      retry: object({ reason: keyword, delay_ms: long }),
      redirect: object({ count: long, hops: keyword }),
      sample_rate: float,
      loss: object({ records: long, bytes: long }),
      rate_limit: object({ limit: long, used: long, remaining: long, window_s: long, reset: date }),
      usage: object({ local: boolean }),
      timing: {
        dynamic: true,
        properties: {
          pool_ms: float,
          pace_ms: float,
          dns_ms: float,
          connect_ms: float,
          tls_ms: float,
          ttfb_ms: float,
          download_ms: float,
        },
      },
    }),
  },
};
