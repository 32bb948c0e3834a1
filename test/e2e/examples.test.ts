import { readdirSync } from 'node:fs';
import { Server as ProxyServer } from 'proxy-chain';
import { expect, it, onTestFinished } from 'vitest';
import { startApi, type Api } from './support/api.js';
import { builtExample, runProgram } from './support/program.js';
import { everyByteBelow, tempDir } from './support/workspace.js';

const EXAMPLES = readdirSync(new URL('../../examples', import.meta.url)).filter((name) => /^\d\d-.*\.ts$/.test(name));

/** What each example must have shown; an example without a line here fails. */
const SHOWN: Record<string, (api: Api, output: string) => void> = {
  '01-first-request.ts'(api, output) {
    expect(api.hits.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([['/items?page=1', 'qwerty']]);
    expect(output).toMatch(/^200 /);
    expect(output).toMatch(/key [\da-f]{24} in \d+ ms/);
  },
  '02-proxies.ts'(api, output) {
    expect(api.hits.map(({ path }) => path)).toEqual([1, 2, 3, 4].map((page) => `/items?page=${page}`));
    expect(new Set(output.match(/127\.0\.0\.1:\d+/g))).toHaveLength(2);
    expect(output.match(/200 through/g)).toHaveLength(4);
  },
  '03-cache.ts'(api, output) {
    expect(api.hits).toHaveLength(3);
    expect(output.trim().split('\n')).toEqual([
      '1 200 miss',
      '2 200 miss',
      '1 200 hit',
      '2 200 hit',
      '2 200 hit',
      '1 200 bypass',
    ]);
  },
  '04-shared-manager.ts'(api, output) {
    const seen = api.hits.map(({ path, headers }) => `${path} ${headers.authorization ?? ''}`);
    expect(seen).toContain('/tile/1/2/3?appid=maps-key-1 ');
    expect(seen.filter((line) => line.includes('Bearer weather-key-'))).toHaveLength(2);
    expect(output.match(/weather \S+ ready 1 of 1000/g)).toHaveLength(2);
    expect(output).toMatch(/maps \S+ ready 1 of 60/);
  },
  '05-one-identity.ts'(api, output) {
    expect(output).toBe('two Requests, two keys: true\nthe same key twice: true\n');
    expect(api.hits.map(({ headers }) => headers.authorization)).toEqual(['Token qwerty', 'Token qwerty']);
    expect(api.hits[0]?.headers['user-agent']).toMatch(/Mozilla/);
  },
  '06-used-up.ts'(api, output) {
    expect(api.hits).toHaveLength(2);
    expect(output).toMatch(/^1 200\n2 200\n3 ERR_POOL_EXHAUSTED until \d{4}-/);
  },
  '07-send-all.ts'(api, output) {
    expect(api.hits).toHaveLength(60);
    expect(output).toMatch(/█{30} 60\/60 {2}\d+\/s {2}0 s left/);
    expect(output).toMatch(/60 sent, 0 failed/);
  },
  '08-browser-transport.ts'(api, output) {
    expect(output.match(/200 through/g)).toHaveLength(2);
    expect(api.hits.map(({ path }) => path)).toEqual(['/items?page=1', '/items?page=2']);
    for (const { headers } of api.hits) {
      expect(headers['user-agent']).toMatch(/Mozilla.* Chrome\/151/);
      const own = Object.keys(headers).filter((name) => name !== 'host' && name !== 'connection');
      expect(own).toEqual([
        'sec-ch-ua',
        'sec-ch-ua-mobile',
        'sec-ch-ua-platform',
        'upgrade-insecure-requests',
        'user-agent',
        'accept',
        'sec-fetch-site',
        'sec-fetch-mode',
        'sec-fetch-user',
        'sec-fetch-dest',
        'accept-encoding',
        'accept-language',
        'priority',
      ]);
    }
  },
};

async function startProxy(): Promise<string> {
  const server = new ProxyServer({ port: 0, host: '127.0.0.1' });
  await server.listen();
  onTestFinished(() => server.close(true));
  return `127.0.0.1:${server.port}`;
}

it.each(EXAMPLES)('%s does what it says', async (name) => {
  const api = await startApi();
  const cwd = tempDir();
  const env = {
    API_URL: api.url,
    PROXIES: `${await startProxy()},${await startProxy()}`,
    ELASTICSEARCH_URL: undefined,
    REDIS_URL: undefined,
    FORCE_COLOR: undefined,
  };
  const { code, output } = await runProgram(builtExample(name.replace(/\.ts$/, '.js')), { cwd, env });
  expect(code, output).toBe(0);
  const shown = SHOWN[name];
  if (shown === undefined) throw new Error(`say in SHOWN what ${name} must show`);
  shown(api, output);
  for (const key of ['qwerty', 'abcde', 'weather-key-', 'maps-key-']) {
    expect(everyByteBelow(cwd).includes(key), `${key} in the state of ${name}`).toBe(false);
  }
});
