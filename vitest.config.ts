import { defineConfig } from 'vitest/config';

/** `unit` needs at most a Redis of its own; `real` runs against the test bed's real parts, started once for all files. */
// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from there
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'test/{core,engine,store,operations}/**/*.test.ts',
            'test/handlers/slack/**/*.test.ts',
            'test/*.test.ts',
          ],
          globalSetup: ['test/install-setup.ts'],
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{core,engine,store,operations}/**', 'test/handlers/slack/**', 'test/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
          testTimeout: 60_000,
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
