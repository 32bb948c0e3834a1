import { chmod, copyFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached } from './cache.js';
import { javaTool } from './java.js';
import { fetchJars } from './maven.js';
import { run } from './run.js';

const JAR = { groupId: 'com.github.codemonstur', artifactId: 'embedded-redis', version: '1.4.3' };
const BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

/** The redis-server out of the published jar, fetched once and then taken from the cache. */
export async function redisBinary(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const binary = BINARIES[platform];
  if (binary === undefined) throw new Error(`${JAR.artifactId}: holds no redis-server for ${platform}`);
  const dir = await cached(`redis-${JAR.version}-${platform}`, async (target) => {
    const workDir = join(target, 'maven');
    const [jars = []] = await fetchJars([JAR], workDir);
    const jar = jars.find((path) => basename(path).startsWith(JAR.artifactId));
    if (jar === undefined) throw new Error(`mvn: brought no ${JAR.artifactId}`);
    const unpacked = await run(javaTool('jar'), ['xf', jar, binary], { cwd: workDir });
    if (!unpacked.ok) throw new Error(unpacked.reason);
    await copyFile(join(workDir, binary), join(target, 'redis-server'));
    await chmod(join(target, 'redis-server'), 0o755);
    await rm(workDir, { recursive: true });
  });
  return join(dir, 'redis-server');
}
