import { createServer, type IncomingMessage } from 'node:http';
import { createSecureServer, type Http2ServerRequest } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import type { UserAgentFilter } from '../../src/config/options.js';
import { startRequest } from '../doors/clients.js';
import { selfSigned } from '../servers/certificate.js';
import { listen } from '../servers/listen.js';

/** The fields of a request as they came, lower-case, without those of the connection and of HTTP/2. */
type Fields = readonly (readonly [name: string, value: string])[];

const OF_THE_CONNECTION = new Set(['host', 'connection', 'x-api-key']);

function fieldsOf({ rawHeaders }: Http2ServerRequest | IncomingMessage): Fields {
  const fields: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    fields.push([String(rawHeaders[at]).toLowerCase(), String(rawHeaders[at + 1])]);
  }
  return fields.filter(([name]) => !name.startsWith(':') && !OF_THE_CONNECTION.has(name));
}

/** What each of the three doors sends of itself to a server that speaks this protocol. */
async function sentBy(protocol: 'HTTP/1.1' | 'HTTP/2', userAgent: UserAgentFilter): Promise<Fields[]> {
  const came: Fields[] = [];
  const answer = (request: Http2ServerRequest | IncomingMessage): string => {
    came.push(fieldsOf(request));
    return 'ok';
  };
  const certificate = selfSigned();
  const server =
    protocol === 'HTTP/2'
      ? createSecureServer(certificate, (request, response) => response.end(answer(request)))
      : createServer((request, response) => response.end(answer(request)));
  const { port, close } = await listen(server);
  onTestFinished(close);
  const request = startRequest({
    userAgent,
    baseURL: `${protocol === 'HTTP/2' ? 'https' : 'http'}://127.0.0.1:${port}`,
    secrets: {
      key_based: {
        api: { keys: ['the-secret-key'], apply: { headers: { 'x-api-key': '{key}' } }, tls: { ca: certificate.cert } },
      },
    },
  });
  const headers = { accept: 'text/html', cookie: 'a=1' };
  await request.send('/', { headers });
  await request.axios.get('/', { headers });
  await (await request.fetch('/', { headers })).text();
  return came;
}

test.each(['HTTP/1.1', 'HTTP/2'] as const)(
  '%s: the fields of a Chrome agree, and stand as it writes them',
  async (protocol) => {
    const filter: UserAgentFilter = { deviceCategory: 'desktop', userAgent: /^(?!.*(?:Edg|OPR)\/).*Chrome\// };
    const came = await sentBy(protocol, filter);
    expect(came).toHaveLength(3);
    for (const fields of came) {
      expect(fields.map(([name]) => name)).toEqual([
        'sec-ch-ua',
        'sec-ch-ua-mobile',
        'sec-ch-ua-platform',
        'user-agent',
        'accept',
        'accept-encoding',
        'accept-language',
        'cookie',
      ]);
      const said = Object.fromEntries(fields);
      const [, version] = /Chrome\/(\d+)\./.exec(String(said['user-agent'])) ?? [];
      expect(said['sec-ch-ua']).toContain(`"Google Chrome";v="${version}"`);
      expect(said['sec-ch-ua-mobile']).toBe('?0');
      const platform = { Windows: /Windows NT/, macOS: /Mac OS X/, Linux: /Linux/, 'Chrome OS': /CrOS/ };
      const named = JSON.parse(String(said['sec-ch-ua-platform'])) as keyof typeof platform;
      expect(said['user-agent']).toMatch(platform[named]);
      expect([said['accept'], said['accept-language']]).toEqual(['text/html', 'en-US,en;q=0.9']);
    }
    // Of one key: the same browser by each door.
    expect(new Set(came.map((fields) => JSON.stringify(fields))).size).toBe(1);
  },
);

test.each(['HTTP/1.1', 'HTTP/2'] as const)('%s: so do those of a Firefox, which gives no hints', async (protocol) => {
  const came = await sentBy(protocol, { userAgent: /Firefox\// });
  expect(came).toHaveLength(3);
  for (const fields of came) {
    const names = ['user-agent', 'accept', 'accept-language', 'accept-encoding', 'cookie'];
    expect(fields.map(([name]) => name)).toEqual(names);
    expect(Object.fromEntries(fields)).toMatchObject({
      'user-agent': expect.stringContaining('Firefox/'),
      'accept-language': 'en-US,en;q=0.5',
    });
  }
});
