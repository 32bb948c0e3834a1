import { fileURLToPath } from 'node:url';
import { guard } from './daemon.js';
import { freePort } from './ports.js';
import { run } from './run.js';
import type { Service } from './service.js';

const COMPOSE_FILE = fileURLToPath(new URL('compose.yml', import.meta.url));
const ANSWER_MS = 10_000;

/** Why no Docker engine can be used; undefined when one answers. */
export async function dockerProblem(): Promise<string | undefined> {
  const engine = await run('docker', ['info'], { timeout: ANSWER_MS });
  if (!engine.ok) return engine.reason.startsWith('docker: not found') ? engine.reason : 'docker: no engine answers';
  const compose = await run('docker', ['compose', 'version'], { timeout: ANSWER_MS });
  return compose.ok ? undefined : 'docker: the compose plugin is missing';
}

/** A service of compose.yml in a project of its own; `urlOf` makes its address out of its port. */
export async function startContainer(
  name: 'elasticsearch' | 'redis',
  dataDir: string,
  urlOf: (port: number) => string,
  version?: string,
): Promise<Service> {
  const port = await freePort();
  const project = ['compose', '-p', `proxy-manager-${name}-${port}`, '-f', COMPOSE_FILE];
  const down = [...project, 'down', '--volumes', '--timeout', '0'];
  const compose = async (...args: string[]): Promise<void> => {
    const env = { ...process.env, PORT: String(port), ...(version && { ELASTICSEARCH_VERSION: version }) };
    const outcome = await run('docker', [...project, ...args], { env });
    if (!outcome.ok) throw new Error(`${name} in Docker: ${outcome.reason}`);
  };
  const start = (): Promise<void> => compose('up', '--detach', '--wait', '--quiet-pull', name);
  const release = guard(dataDir, 'docker', ...down);
  const stop = async (): Promise<void> => {
    release();
    await compose('down', '--volumes', '--timeout', '0');
  };
  await start();
  return { url: urlOf(port), source: 'Docker', start, stop, kill: () => compose('kill', name) };
}
