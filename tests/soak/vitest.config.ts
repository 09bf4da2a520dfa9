import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Commands of their own (`npm run soak`): they take minutes.
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/soak/*.run.ts'],
    pool: 'forks',
    testTimeout: 24 * 3_600_000,
    hookTimeout: 300_000,
    disableConsoleIntercept: true,
  },
});
