import { newDataDir } from './data-dir.js';
import { dockerProblem, startContainer } from './docker.js';
import { givenUrl, startForwarder } from './given.js';
import { startLocal } from './local.js';
import { freePort } from './ports.js';
import { redisBinary } from './redis-binary.js';
import { run } from './run.js';
import type { Service, ServiceOptions } from './service.js';

/**
 * Starts a Redis server of one's own: in front of the one in REDIS_URL where that was given, else in Docker, else the
 * `redis-server` of the PATH, else the one of a published jar.
 * @throws Error that lists what was looked for and says what to install.
 */
export async function startRedis({ env = process.env }: ServiceOptions = {}): Promise<Service> {
  const given = givenUrl('REDIS_URL', env);
  if (given) return startForwarder(given, 'REDIS_URL');
  const noDocker = await dockerProblem();
  if (!noDocker) return startContainer('redis', await newDataDir('redis'), (port) => `redis://127.0.0.1:${port}`);
  const { command, version } = await redisServer(['REDIS_URL: not set', noDocker]);
  const dataDir = await newDataDir('redis');
  const port = await freePort();
  // Every write reaches the operating system before its reply, which is what outlives a kill -9.
  const durable = ['--appendonly', 'yes', '--appendfsync', 'no', '--save', ''];
  return startLocal(`redis://127.0.0.1:${port}`, `${command} ${version}`, {
    name: 'Redis',
    command,
    args: ['--bind', '127.0.0.1', '--port', String(port), '--dir', dataDir, ...durable],
    dataDir,
    ready: /Ready to accept connections/i,
  });
}

/** The `redis-server` of this machine; `looked` is what was looked for before, for the error. */
export async function redisServer(looked: readonly string[] = []): Promise<{ command: string; version: string }> {
  const installed = await versionOf('redis-server');
  if (installed.ok) return { command: 'redis-server', version: installed.output };
  const problems = [...looked, installed.reason];
  try {
    const command = await redisBinary();
    const fetched = await versionOf(command);
    if (!fetched.ok) throw new Error(fetched.reason);
    return { command, version: fetched.output };
  } catch (error) {
    throw notFound([...problems, error instanceof Error ? error.message : String(error)]);
  }
}

async function versionOf(command: string): ReturnType<typeof run> {
  const outcome = await run(command, ['--version']);
  return outcome.ok ? { ok: true, output: /v=(\S+)/.exec(outcome.output)?.[1] ?? '' } : outcome;
}

function notFound(problems: readonly string[]): Error {
  return new Error(
    `No Redis for the tests.\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
      'Set REDIS_URL, or start a Docker engine, or install redis-server (Debian: apt-get install redis-server;' +
      ' macOS: brew install redis), or a JDK 17+ and Maven.',
  );
}
