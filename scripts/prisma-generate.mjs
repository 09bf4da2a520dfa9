// Generates the Prisma client. `prisma generate` needs no schema engine, but looks for one and would download it:
// naming any existing file keeps it from trying.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { status } = spawnSync('prisma', ['generate', '--config', `${root}prisma.config.ts`, '--no-hints'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
});
process.exit(status ?? 1);
