import { startContainer, dockerProblem } from './docker.js';
import { newDataDir } from './data-dir.js';
import type { Flavour } from './elasticsearch-flavours.js';
import { EIGHT, NINE } from './elasticsearch-flavours.js';
import { elasticsearchHome, launcherArgs } from './elasticsearch-home.js';
import { givenUrl, startForwarder } from './given.js';
import { javaTool, jdkProblem } from './java.js';
import { startLocal } from './local.js';
import { freePort } from './ports.js';
import type { Service, ServiceOptions } from './service.js';

/**
 * Starts an Elasticsearch node of one's own: in front of the one in ELASTICSEARCH_URL where that was given, else in Docker,
 * else from the published jars.
 * @throws Error that lists what was looked for and says what to install.
 */
export async function startElasticsearch({ env = process.env }: ServiceOptions = {}): Promise<Service> {
  const given = givenUrl('ELASTICSEARCH_URL', env);
  if (given) return startForwarder(given, 'ELASTICSEARCH_URL');
  const flavour = env['PROXY_MANAGER_ELASTICSEARCH'] === '9' ? NINE : EIGHT;
  const noDocker = await dockerProblem();
  if (!noDocker) {
    const dataDir = await newDataDir('elasticsearch');
    return startContainer('elasticsearch', dataDir, (port) => `http://127.0.0.1:${port}`, flavour.version);
  }
  const home = await jarsHome(flavour, noDocker);
  const dataDir = await newDataDir('elasticsearch');
  const port = await freePort();
  return startLocal(`http://127.0.0.1:${port}`, `its published jars, ${flavour.version}`, {
    name: 'Elasticsearch',
    command: javaTool('java'),
    args: launcherArgs(home, flavour, { dataDir, port }),
    dataDir,
    ready: /launcher: ready/,
  });
}

async function jarsHome(flavour: Flavour, noDocker: string): Promise<string> {
  const problems = ['ELASTICSEARCH_URL: not set', noDocker];
  const noJdk = await jdkProblem(flavour.oldestJava);
  if (noJdk) throw notFound(flavour, [...problems, noJdk]);
  try {
    return await elasticsearchHome(flavour);
  } catch (error) {
    throw notFound(flavour, [...problems, error instanceof Error ? error.message : String(error)]);
  }
}

function notFound({ oldestJava }: Flavour, problems: readonly string[]): Error {
  return new Error(
    `No Elasticsearch for the tests.\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
      `Set ELASTICSEARCH_URL, or start a Docker engine, or install a JDK ${oldestJava}+ and Maven` +
      ` (Debian: apt-get install openjdk-${oldestJava}-jdk-headless maven; macOS: brew install openjdk@${oldestJava} maven).`,
  );
}
