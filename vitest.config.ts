import { defineConfig } from 'vitest/config';

const onServices = { globalSetup: './test/services/global-setup.ts', testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      // A process for each file would take longer than the tests do. The time is for machines under load.
      { test: { name: 'unit', include: ['packages/*/test/**/*.test.ts'], isolate: false, testTimeout: 30_000 } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...onServices } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...onServices } },
    ],
  },
});
