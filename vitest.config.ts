import { defineConfig } from 'vitest/config';

const onServices = { globalSetup: './test/services/global-setup.ts', testTimeout: 60_000, hookTimeout: 120_000 };

// They need no service, but seconds of real sockets, files and processes: they run with the services, so that the inner
// loop stays short.
const SLOW = [
  'packages/proxy-manager/test/{connections,doors,embedded,pace,session,transport}/**/*.test.ts',
  'packages/proxy-manager/test/cache/{near-urls,rfc9111,single-flight,through-send}.test.ts',
  'packages/proxy-manager/test/{config/watch,log/bounds,pipeline/as-written,usage/{journal,provider}}.test.ts',
];

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      // A process for each file would take longer than the tests do. The time is for machines under load.
      {
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: SLOW,
          isolate: false,
          testTimeout: 30_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts', ...SLOW], ...onServices } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...onServices } },
    ],
  },
});
