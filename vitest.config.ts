import { defineConfig } from 'vitest/config';

/** What needs a real mesh besides: istiod, Envoy, Prometheus. */
const onTheMesh = ['test/mesh/**/*.test.ts'];

/** What needs a real cluster, registry or Docker daemon. */
const onTheBed = ['test/{clients,console,e2e,operations,testbed}/**/*.test.ts'];

// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from there
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...onTheBed, ...onTheMesh],
          globalSetup: ['test/install-setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'real',
          include: onTheBed,
          globalSetup: ['test/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'mesh',
          include: onTheMesh,
          globalSetup: ['test/mesh-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'handlers/**', 'jobs/**'],
      reporter: ['text-summary', 'lcovonly'],
    },
  },
});
