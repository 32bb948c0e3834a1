import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.js';
import type { Flavour, Module } from './elasticsearch-flavours.js';
import { server } from './elasticsearch-flavours.js';
import { javaTool } from './java.js';
import { fetchJars } from './maven.js';
import { run } from './run.js';

const LAUNCHER = sourceOf('Launcher.java');
// Compiled along with it.
const LIFECYCLE = sourceOf('MissingLifecycle.java');
// Raise it when the layout below changes, so that folders of the old one are no longer taken.
const LAYOUT = 2;

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;

/** A folder that `Launcher` starts Elasticsearch from, built of the published jars once and then taken from the cache. */
export async function elasticsearchHome(flavour: Flavour): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([LAYOUT, flavour]));
  const sources = flavour.modules.flatMap(({ source }) => source ?? []);
  for (const source of [LAUNCHER, LIFECYCLE, ...sources.map(sourceOf)]) hash.update(await readFile(source));
  const name = `${flavour.name}-${flavour.version}-${hash.digest('hex').slice(0, 12)}`;
  return cached(name, (home) => build(home, flavour));
}

/** How one node is run out of a home. */
export interface NodeSettings {
  readonly dataDir: string;
  readonly port: number;
  /** Over those that every node of the tests has. */
  readonly settings?: Readonly<Record<string, string | boolean>>;
  /** Its folder of settings. @default the home's own */
  readonly config?: string;
}

/** What `java` is told to run a node out of `home`. */
export function launcherArgs(
  home: string,
  { javaOptions }: Flavour,
  { dataDir, port, settings = {}, config = join(home, 'config') }: NodeSettings,
): string[] {
  const modules = ['--module-path', join(home, 'lib'), '--add-modules', 'org.elasticsearch.server,ALL-MODULE-PATH'];
  // A node that lives for minutes starts in half the time with the quick compiler and the plain collector.
  const virtualMachine = ['-Xms512m', '-Xmx1g', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', ...javaOptions];
  const all = {
    'path.data': dataDir,
    'path.logs': dataDir,
    'cluster.name': `proxy-manager-${port}`,
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': 0,
    'cluster.routing.allocation.disk.threshold_enabled': false,
    ...settings,
  };
  const pairs = Object.entries(all).map(([key, value]) => `${key}=${value}`);
  return [...virtualMachine, ...modules, '-cp', join(home, 'launcher'), 'Launcher', home, config, 'node', ...pairs];
}

async function build(home: string, flavour: Flavour): Promise<void> {
  const workDir = join(home, 'maven');
  const { modules } = flavour;
  const fetched = await fetchJars([server(flavour), ...modules.flatMap(({ artifacts }) => artifacts)], workDir);
  const [serverJars = [], ...moduleJars] = fetched;
  // A jar may stand in one place only, else Elasticsearch calls it "jar hell".
  const placed = new Set<string>();
  await place(serverJars, join(home, 'lib'), placed);
  for (const module of modules) {
    for (const jars of moduleJars.splice(0, module.artifacts.length)) {
      await place(jars, join(home, 'modules', module.name), placed);
    }
    if (module.source !== undefined) await compileModule(home, module.name, sourceOf(module.source));
    await writeFile(
      join(home, 'modules', module.name, 'plugin-descriptor.properties'),
      descriptor(module, flavour.version),
    );
  }
  await rm(workDir, { recursive: true });
  await mkdir(join(home, 'config'));
  await writeFile(join(home, 'config', 'elasticsearch.yml'), '');
  await writeFile(join(home, 'config', 'log4j2.properties'), LOGGING);
  await compileLauncher(home);
}

async function place(jars: readonly string[], dir: string, placed: Set<string>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const jar of jars) {
    // Of two versions the first one has to do.
    const library = basename(jar).replace(/-\d[^/]*$/, '');
    if (!placed.has(library)) await rename(jar, join(dir, basename(jar)));
    placed.add(library);
  }
}

async function compileLauncher(home: string): Promise<void> {
  await compile(home, LAUNCHER, join(home, 'launcher'));
}

async function compileModule(home: string, name: string, source: string): Promise<void> {
  const dir = join(home, 'modules', name);
  const classes = join(home, name);
  await compile(home, source, classes);
  await mkdir(dir, { recursive: true });
  await tool('jar', ['--create', '--file', join(dir, `${name}.jar`), '-C', classes, '.']);
  await rm(classes, { recursive: true });
}

async function compile(home: string, source: string, classes: string): Promise<void> {
  const modules = ['--module-path', join(home, 'lib'), '--add-modules', 'org.elasticsearch.server,ALL-MODULE-PATH'];
  await tool('javac', ['-d', classes, ...modules, '-sourcepath', dirname(source), source]);
}

async function tool(name: 'jar' | 'javac', args: readonly string[]): Promise<void> {
  const outcome = await run(javaTool(name), args);
  if (!outcome.ok) throw new Error(outcome.reason);
}

function sourceOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function descriptor({ name, classname, extends: extended = '' }: Module, version: string): string {
  const entries = {
    name,
    description: name,
    version,
    classname,
    'java.version': '17',
    'elasticsearch.version': version,
    'extended.plugins': extended,
    'has.native.controller': 'false',
  };
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
