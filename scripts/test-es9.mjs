import './lib/node-version.mjs';
import { findJdk } from './lib/jdk.mjs';
import { prepare } from './lib/prepare.mjs';
import { run } from './lib/run.mjs';
import { Steps } from './lib/steps.mjs';
import { vitestOn } from './lib/vitest.mjs';

const OLDEST_JDK = 21;
const TESTS = [
  'integration/log',
  'integration/cache/elasticsearch',
  'integration/services/elasticsearch',
  'e2e/log',
  'e2e/cache',
];

// What the tests meet must be the 9 that they are named after.
delete process.env.ELASTICSEARCH_URL;
process.env.PROXY_MANAGER_ELASTICSEARCH = '9';

const steps = new Steps();
await prepare(steps);
const { code } = await run('docker', ['info']);
const jdk = code === 0 ? undefined : await findJdk(OLDEST_JDK);
if (code === 0 || jdk !== undefined) {
  if (jdk !== undefined) process.env.JAVA_HOME = jdk;
  await steps.step('tests that meet Elasticsearch, on 9.5', () => vitestOn(TESTS, 'integration', 'e2e'));
} else {
  await steps.step('Elasticsearch 9.5', async () => ({
    passed: 0,
    failed: 1,
    output: `It wants a Docker engine, or Maven and a JDK ${OLDEST_JDK}+: set JAVA_HOME to one (Debian: apt-get install openjdk-${OLDEST_JDK}-jdk-headless maven).`,
  }));
}
steps.end();
