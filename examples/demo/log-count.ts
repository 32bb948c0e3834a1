import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The records of `run` in the NDJSON files of the spool. */
export async function countInSpool(directory: string, run: string): Promise<number> {
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.ndjson'));
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  const lines = texts.flatMap((text) => text.split('\n')).filter((line) => line.includes(run));
  return lines.filter((line) => (JSON.parse(line) as { labels?: { run?: string } }).labels?.run === run).length;
}

/** The documents of `run` in Elasticsearch, or undefined when it does not answer. */
export async function countInElasticsearch(node: string, run: string): Promise<number | undefined> {
  const url = new URL(node);
  const login = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  const base = `${url.href.replace(/\/$/, '')}/logs-proxy_manager.exchange-*`;
  const headers = {
    'content-type': 'application/json',
    ...(login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  };
  const ask = (path: string, body?: object): Promise<Response> =>
    fetch(base + path, {
      method: 'POST',
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
  try {
    await ask('/_refresh');
    const reply = await ask('/_count', { query: { term: { 'labels.run': run } } });
    return reply.ok ? ((await reply.json()) as { count: number }).count : undefined;
  } catch {
    return undefined;
  }
}
