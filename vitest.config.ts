import { defineConfig } from 'vitest/config';

/** `unit` needs nothing; `real` runs against the test bed's real parts, started once for all files. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{core,operations,handlers/slack}/**/*.test.ts', 'test/*.test.ts'],
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{core,operations,handlers/slack}/**', 'test/*.test.ts'],
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
