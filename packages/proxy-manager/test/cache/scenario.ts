import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CachePolicy, FetchCacheMode } from '../../src/config/cache-options.js';
import type { CacheStatus } from '../../src/pipeline/exchange.js';
import { ProxyManager } from '../../src/proxy-manager.js';
import type { Request } from '../../src/request.js';
import { startOrigin } from '../servers/origin.js';

type Headers = Readonly<Record<string, string | string[]>>;

/** Without a body it says `answer <n>`, n being how often this case has asked. */
export type OriginAnswer =
  | { readonly status?: number; readonly headers?: Headers; readonly body?: string }
  | 'hangs up';

/** Whole seconds, as dates in headers have; every case begins at it. */
export const STARTED_MS: number = Math.floor(Date.now() / 1000) * 1000;

/** One request, and how the origin answers should it be asked. */
export interface Step {
  /** Seconds that pass before. */
  readonly after?: number;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly mode?: FetchCacheMode;
  readonly origin?: OriginAnswer;
  readonly is: CacheStatus | 'ERR_NOT_CACHED' | 'ECONNRESET';
  readonly status?: number;
  readonly body?: string;
  /** What the caller gets; null: not there. */
  readonly gets?: Readonly<Record<string, RegExp | string | null>>;
  /** What the origin was asked; null: not there. */
  readonly asks?: Readonly<Record<string, RegExp | string | null>>;
  /** The origin is asked behind the reply, and has answered before the next step. */
  readonly behind?: boolean;
}

/** Plays the steps of one case one after another. */
export interface Stage {
  play(steps: readonly Step[], policy?: CachePolicy): Promise<void>;
  close(): Promise<void>;
}

/** A manager with a clock of its own, and an origin that answers as the present step says. */
export async function openStage(): Promise<Stage> {
  const clock = { nowMs: STARTED_MS, now: (): number => clock.nowMs };
  let answer: OriginAnswer | undefined;
  let asked = 0;
  let seen: IncomingHttpHeaders = {};
  const origin = await startOrigin((request: IncomingMessage, response: ServerResponse) => {
    asked += 1;
    seen = request.headers;
    if (answer === 'hangs up') return request.socket.destroy();
    const { status = 200, headers = {}, body = `answer ${asked}` } = answer ?? {};
    response.sendDate = false;
    response.writeHead(status, { date: new Date(clock.nowMs).toUTCString(), ...headers });
    return response.end(body);
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'scenario-'));
  const secrets = { key_based: { api: { keys: ['unused-secret-key'] } } };
  const manager = new ProxyManager({ secrets, dataDir, clock, cache: { store: 'memory' } });

  async function step(req: Request, base: string, wanted: Step): Promise<void> {
    clock.nowMs += (wanted.after ?? 0) * 1000;
    answer = wanted.origin;
    const before = asked;
    const { is } = wanted;
    const sending = req.send(`${base}${wanted.path ?? ''}`, {
      method: wanted.method ?? 'GET',
      headers: { 'x-api-key': '{key}', ...wanted.headers },
      validateStatus: null,
      responseType: 'text',
      ...(wanted.data === undefined ? {} : { data: wanted.data }),
      ...(wanted.mode === undefined ? {} : { cache: wanted.mode }),
    });
    if (is.startsWith('E')) {
      await expect(sending).rejects.toMatchObject({ code: is });
      return;
    }
    const { exchange, status, data, headers } = await sending;
    const isServed = is === 'hit' || is === 'stale';
    expect({ cache: exchange.cache, status }).toEqual({ cache: is, status: wanted.status ?? 200 });
    if (wanted.body !== undefined) expect(data).toBe(wanted.body);
    expectFields('gets', headers, wanted.gets);
    if (wanted.behind) await expect.poll(() => asked).toBe(before + 1);
    else if (isServed && wanted.origin === undefined) expect(asked).toBe(before);
    expectFields('asks', seen, wanted.asks);
  }

  let cases = 0;
  return {
    async play(steps, policy = { mode: 'http' }) {
      asked = 0;
      clock.nowMs = STARTED_MS;
      const req = manager.request('api', { cache: policy, retry: { attempts: 1 }, userAgent: false });
      const base = `${origin.url}/case-${++cases}`;
      for (const wanted of steps) await step(req, base, wanted);
      await req.close();
    },
    async close() {
      await manager.close();
      await origin.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

function expectFields(whose: string, fields: object, wanted: Step['gets'] = {}): void {
  for (const [name, value] of Object.entries(wanted)) {
    const found: unknown = Reflect.get(fields, name);
    if (value === null) expect(found, `${whose} ${name}`).toBeUndefined();
    else if (typeof value === 'string') expect(found, `${whose} ${name}`).toBe(value);
    else expect(String(found), `${whose} ${name}`).toMatch(value);
  }
}
