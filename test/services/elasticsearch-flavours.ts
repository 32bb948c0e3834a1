import type { Artifact } from './maven.js';

/** One of the Elasticsearches that the tests build out of published jars. */
export interface Flavour {
  /** Part of the name of its folder in the cache. */
  readonly name: string;
  readonly version: string;
  readonly oldestJava: number;
  /** A jar stands in the first place that asks for it: the server's, then the modules in their order. */
  readonly modules: readonly Module[];
  readonly javaOptions: readonly string[];
}

/** A module of the node: what its folder holds, and its plugin class. */
export interface Module {
  readonly name: string;
  readonly classname: string;
  readonly artifacts: readonly Artifact[];
  /** A file beside this one that is compiled into it. */
  readonly source?: string;
  readonly extends?: string;
}

const EIGHT_VERSION = '8.19.21';
const NETTY_CLASS = 'org.elasticsearch.transport.netty4.Netty4Plugin';
const XPACK_CLASS = 'org.elasticsearch.xpack.core.XPackPlugin';

/** The release that the tests run on where the machine offers none. */
export const EIGHT: Flavour = {
  name: 'elasticsearch',
  version: EIGHT_VERSION,
  oldestJava: 17,
  modules: [
    { name: 'x-pack-core', classname: XPACK_CLASS, artifacts: [plugin('x-pack-core', EIGHT_VERSION)] },
    { name: 'transport-netty4', classname: NETTY_CLASS, artifacts: [plugin('transport-netty4', EIGHT_VERSION)] },
  ],
  javaOptions: [],
};

/** The newest major, for `npm run test:es9`; without x-pack-core, a part of which is not published. */
export const NINE: Flavour = {
  name: 'elasticsearch',
  version: '9.5.3',
  oldestJava: 21,
  modules: [{ name: 'transport-netty4', classname: NETTY_CLASS, artifacts: [plugin('transport-netty4', '9.5.3')] }],
  // Its native libraries are not published either; it goes on without them where it finds none.
  javaOptions: ['-Des.nativelibs.path=/nonexistent', '--enable-native-access=ALL-UNNAMED'],
};

const SECURITY: Artifact = {
  ...plugin('x-pack-security', EIGHT_VERSION),
  // Its own version of OpenSAML is in no public repository. Of the rest some classes would stand in two jars.
  without: ['org.opensaml', 'net.shibboleth', 'net.shibboleth.utilities', 'jakarta.activation'],
  together: [
    {
      groupId: 'org.opensaml',
      artifactId: 'opensaml-saml-impl',
      version: '4.0.1',
      without: [
        'org.opensaml:opensaml-security-api',
        'com.sun.mail',
        'jakarta.activation',
        'net.jcip',
        'org.springframework',
      ],
    },
  ],
};

/** 8.19 with security: users, roles, API keys and TLS. It brings a transport of its own, which stands on netty in x-pack-core. */
export const SECURED: Flavour = {
  name: 'elasticsearch-secured',
  version: EIGHT_VERSION,
  oldestJava: 17,
  modules: [
    {
      name: 'x-pack-core',
      classname: XPACK_CLASS,
      artifacts: [plugin('x-pack-core', EIGHT_VERSION), plugin('transport-netty4', EIGHT_VERSION)],
    },
    {
      name: 'x-pack-security',
      classname: 'org.elasticsearch.xpack.security.Security',
      artifacts: [SECURITY],
      extends: 'x-pack-core',
    },
    { name: 'missing-analysis', classname: 'MissingAnalysis', artifacts: [], source: 'MissingAnalysis.java' },
  ],
  javaOptions: ['interceptor', 'internal'].flatMap((part) => [
    '--add-exports',
    `org.elasticsearch.server/org.elasticsearch.plugins.${part}=ALL-UNNAMED`,
  ]),
};

/** What the server itself is. */
export function server({ version }: Flavour): Artifact {
  return { groupId: 'org.elasticsearch', artifactId: 'elasticsearch', version };
}

function plugin(artifactId: string, version: string): Artifact {
  return { groupId: 'org.elasticsearch.plugin', artifactId, version };
}
