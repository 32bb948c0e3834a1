import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.js';

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

/** A published Java artifact. */
export interface Artifact {
  readonly groupId: string;
  readonly artifactId: string;
  readonly version: string;
  /** Groups, or `group:artifact`, of which nothing is fetched along with it. */
  readonly without?: readonly string[];
  /** What is fetched into the same place. */
  readonly together?: readonly Artifact[];
}

/**
 * Fetches each artifact with all that it needs at run time, in one run of Maven whose project is made in `workDir`.
 * Gives the paths of the jars per artifact, in the order of `artifacts`.
 * @throws Error with Maven's own words.
 */
export async function fetchJars(artifacts: readonly Artifact[], workDir: string): Promise<string[][]> {
  await writePoms(artifacts, workDir);
  const fetchAll = () =>
    run('mvn', ['-q', '-B', '-ntp', COPY_DEPENDENCIES, '-DincludeScope=runtime'], { cwd: workDir });
  let outcome = await fetchAll();
  // Once more, because two Mavens that fill one local repository may get in each other's way.
  if (!outcome.ok) outcome = await fetchAll();
  if (!outcome.ok) throw new Error(outcome.reason);
  return Promise.all(artifacts.map(({ artifactId }) => filesIn(join(workDir, artifactId, 'target', 'dependency'))));
}

/** One Maven module for each artifact, so that each gets its own list of dependencies. */
async function writePoms(artifacts: readonly Artifact[], workDir: string): Promise<void> {
  const modules = artifacts.map(({ artifactId }) => `<module>${artifactId}</module>`).join('');
  await writePom(workDir, 'services', `<modules>${modules}</modules>`);
  for (const artifact of artifacts) {
    const { artifactId, together = [] } = artifact;
    const dependencies = [artifact, ...together].map(dependency).join('');
    await writePom(join(workDir, artifactId), `fetch-${artifactId}`, `<dependencies>${dependencies}</dependencies>`);
  }
}

function dependency({ groupId, artifactId, version, without = [] }: Artifact): string {
  const coordinates = `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>`;
  const exclusions = without
    .map((each) => each.split(':'))
    .map(([group, name = '*']) => `<exclusion><groupId>${group}</groupId><artifactId>${name}</artifactId></exclusion>`)
    .join('');
  return `<dependency>${coordinates}<exclusions>${exclusions}</exclusions></dependency>`;
}

async function writePom(dir: string, artifactId: string, body: string): Promise<void> {
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>test.services</groupId><artifactId>${artifactId}</artifactId><version>1</version><packaging>pom</packaging>
${body}</project>`;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'pom.xml'), pom);
}

async function filesIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).map((name) => join(dir, name));
}
