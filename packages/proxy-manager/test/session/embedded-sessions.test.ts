import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEnvironment } from '../../src/embedded/environment.js';
import { embeddedSessions } from '../../src/session/embedded-sessions.js';
import type { SavedSession } from '../../src/session/session-store.js';

const HOUR_MS = 3_600_000;

test('those that ended long ago make room little by little, and the others stay', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sessions-'));
  const environment = await openEnvironment(dataDir);
  try {
    const store = embeddedSessions(async () => environment);
    const begin = (name: string, startedAtMs: number, endsAtMs: number): Promise<SavedSession> =>
      store.begin(
        name,
        { ids: [], userAgent: '', startedAtMs, endsAtMs, uses: 0, errors: 0, cookies: undefined },
        undefined,
      );
    const lasting = Array.from({ length: 20 }, (_, n) => `lasting-${n}`);
    for (const name of lasting) await begin(name, 0, Infinity);
    const lastStartMs = 1_000 * HOUR_MS;
    for (let startedAtMs = 0; startedAtMs <= lastStartMs; startedAtMs += HOUR_MS) {
      await begin(`short-${startedAtMs}`, startedAtMs, startedAtMs + HOUR_MS);
    }
    for (const name of lasting) expect(await store.read(name)).toBeDefined();
    for (let ageH = 0; ageH < 24; ageH += 1) {
      expect(await store.read(`short-${lastStartMs - ageH * HOUR_MS}`)).toBeDefined();
    }
    const database = await environment.openDatabase({ name: 'session', version: 1 });
    expect(database.getKeysCount()).toBeLessThan(150);
  } finally {
    await environment.close();
    await rm(dataDir, { recursive: true });
  }
});
