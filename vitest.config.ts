import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{apps,packages}/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    pool: 'forks',
    // Whole stacks share the machine with each other: the times only end what hangs.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    // What a busy CI machine let down is tried once more, and the run says so; by hand nothing is.
    retry: process.env.CI ? 1 : 0,
  },
});
