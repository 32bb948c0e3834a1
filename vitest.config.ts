import { defineConfig } from 'vitest/config';

const services = { globalSetup: './test/services/global-setup.ts', testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['packages/*/test/**/*.test.ts'] } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...services } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...services } },
    ],
  },
});
