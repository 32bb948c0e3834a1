import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newDataDir } from './data-dir.js';
import { elasticsearchHome, launcherArgs } from './elasticsearch-home.js';
import { SECURED } from './elasticsearch-flavours.js';
import { javaTool, jdkProblem } from './java.js';
import { startLocal } from './local.js';
import { freePort } from './ports.js';
import type { Service } from './service.js';

const ITERATIONS = 1000;

/** Who may do what on a node of one's own. */
export interface Security {
  /** By name, as the role API takes them. */
  readonly roles: Readonly<Record<string, object>>;
  readonly users: readonly { readonly name: string; readonly password: string; readonly role: string }[];
  /** PEM, for https. */
  readonly certificate: { readonly cert: string; readonly key: string };
}

/**
 * An Elasticsearch node of one's own that wants a user and a password, and speaks TLS alone. It is made of the published
 * jars in any case: an engine that is given, or runs in Docker, has users of its own.
 * @throws Error that says what to install.
 */
export async function startSecuredElasticsearch(security: Security): Promise<Service> {
  const noJdk = await jdkProblem(SECURED.oldestJava);
  if (noJdk) {
    throw new Error(
      `No secured Elasticsearch for the tests: ${noJdk}. Install a JDK ${SECURED.oldestJava}+ and Maven.`,
    );
  }
  const home = await elasticsearchHome(SECURED);
  const dataDir = await newDataDir('elasticsearch');
  const config = join(dataDir, 'config');
  await writeConfig(config, home, security);
  const port = await freePort();
  const settings = {
    'xpack.security.enabled': true,
    'xpack.security.http.ssl.enabled': true,
    'xpack.security.http.ssl.certificate': join(config, 'http.crt'),
    'xpack.security.http.ssl.key': join(config, 'http.key'),
  };
  return startLocal(`https://127.0.0.1:${port}`, `its published jars, ${SECURED.version}, secured`, {
    name: 'Elasticsearch',
    command: javaTool('java'),
    args: launcherArgs(home, SECURED, { dataDir, port, settings, config }),
    dataDir,
    ready: /launcher: ready/,
  });
}

async function writeConfig(config: string, home: string, { roles, users, certificate }: Security): Promise<void> {
  await mkdir(config);
  for (const name of ['elasticsearch.yml', 'log4j2.properties']) {
    await copyFile(join(home, 'config', name), join(config, name));
  }
  // JSON is YAML, but each role is to begin on a line of its own.
  await writeFile(
    join(config, 'roles.yml'),
    lines(Object.entries(roles), ([name, role]) => `${name}: ${JSON.stringify(role)}`),
  );
  await writeFile(
    join(config, 'users'),
    lines(users, ({ name, password }) => `${name}:${hashed(password)}`),
  );
  await writeFile(
    join(config, 'users_roles'),
    lines(users, ({ name, role }) => `${role}:${name}`),
  );
  await writeFile(join(config, 'http.crt'), certificate.cert);
  await writeFile(join(config, 'http.key'), certificate.key, { mode: 0o600 });
}

function lines<T>(items: readonly T[], line: (item: T) => string): string {
  return items.map((item) => `${line(item)}\n`).join('');
}

/** One of the forms that Elasticsearch's file realm takes. */
function hashed(password: string): string {
  const salt = randomBytes(32);
  const hash = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha512');
  return `{PBKDF2}${ITERATIONS}$${salt.toString('base64')}$${hash.toString('base64')}`;
}
