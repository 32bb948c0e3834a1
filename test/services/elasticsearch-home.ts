import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.js';
import { javaTool } from './java.js';
import { fetchJars, type Artifact } from './maven.js';
import { run } from './run.js';

/** The release that the tests run on where the machine offers none. */
export const ELASTICSEARCH_VERSION = '8.19.21';

const LAUNCHER = fileURLToPath(new URL('Launcher.java', import.meta.url));
// Raise it when the layout below changes, so that folders of the old one are no longer taken.
const LAYOUT = 1;

const SERVER = artifact('org.elasticsearch', 'elasticsearch');
const NETTY = artifact('org.elasticsearch.plugin', 'transport-netty4');
const XPACK = artifact('org.elasticsearch.plugin', 'x-pack-core');
const MODULES = [
  { name: NETTY.artifactId, classname: 'org.elasticsearch.transport.netty4.Netty4Plugin' },
  { name: XPACK.artifactId, classname: 'org.elasticsearch.xpack.core.XPackPlugin' },
];

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;

/** A folder that `Launcher` starts Elasticsearch from, built of the published jars once and then taken from the cache. */
export async function elasticsearchHome(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(LAUNCHER))
    .update(String(LAYOUT))
    .digest('hex')
    .slice(0, 12);
  return cached(`elasticsearch-${ELASTICSEARCH_VERSION}-${hash}`, build);
}

/** What `java` is told to run a node out of `home`; the settings follow. */
export function launcherArgs(home: string): string[] {
  const modules = ['--module-path', join(home, 'lib'), '--add-modules', 'org.elasticsearch.server,ALL-MODULE-PATH'];
  // A node that lives for minutes starts in half the time with the quick compiler and the plain collector.
  const virtualMachine = ['-Xms512m', '-Xmx1g', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  return [...virtualMachine, ...modules, '-cp', join(home, 'launcher'), 'Launcher', home];
}

async function build(home: string): Promise<void> {
  const workDir = join(home, 'maven');
  const [server = [], netty = [], xpack = []] = await fetchJars([SERVER, NETTY, XPACK], workDir);
  // A jar may stand in one place only: with the server before the modules, and with x-pack-core before transport-netty4.
  const placed = new Set<string>();
  await place(server, join(home, 'lib'), placed);
  await place(xpack, join(home, 'modules', XPACK.artifactId), placed);
  await place(netty, join(home, 'modules', NETTY.artifactId), placed);
  await rm(workDir, { recursive: true });

  for (const { name, classname } of MODULES) {
    await writeFile(join(home, 'modules', name, 'plugin-descriptor.properties'), descriptor(name, classname));
  }
  await mkdir(join(home, 'config'));
  await writeFile(join(home, 'config', 'elasticsearch.yml'), '');
  await writeFile(join(home, 'config', 'log4j2.properties'), LOGGING);
  await compileLauncher(home);
}

async function place(jars: readonly string[], dir: string, placed: Set<string>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const jar of jars) {
    const name = basename(jar);
    if (!placed.has(name)) await rename(jar, join(dir, name));
    placed.add(name);
  }
}

async function compileLauncher(home: string): Promise<void> {
  const modules = ['--module-path', join(home, 'lib'), '--add-modules', 'org.elasticsearch.server'];
  const outcome = await run(javaTool('javac'), ['-d', join(home, 'launcher'), ...modules, LAUNCHER]);
  if (!outcome.ok) throw new Error(outcome.reason);
}

function descriptor(name: string, classname: string): string {
  const entries = {
    name,
    description: name,
    version: ELASTICSEARCH_VERSION,
    classname,
    'java.version': '17',
    'elasticsearch.version': ELASTICSEARCH_VERSION,
    'extended.plugins': '',
    'has.native.controller': 'false',
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function artifact(groupId: string, artifactId: string): Artifact {
  return { groupId, artifactId, version: ELASTICSEARCH_VERSION };
}
