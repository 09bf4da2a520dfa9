import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from '../support/problem.js';

const FOLDER = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url));

/** Makes `prisma/migrations/YYYYMMDDHHMMSS_name/migration.sql`, to be filled by hand. @throws Problem */
export function makeMigration(
  name: string,
  now: Date,
  { dryRun, folder = FOLDER }: { dryRun: boolean; folder?: string },
): { name: string; file: string } {
  if (!/^[a-z][a-z0-9_]{0,60}$/.test(name))
    throw new Problem(`"${name}" is no name for a migration`, 'Use lower-case letters, digits and "_".', 2);
  const full = `${now.toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`;
  const file = join(folder, full, 'migration.sql');
  if (!dryRun) {
    mkdirSync(join(folder, full));
    writeFileSync(file, TEMPLATE);
  }
  return { name: full, file };
}

const TEMPLATE = `-- Write what changes, and change prisma/schema.prisma alike. The file runs as one transaction, so nothing that refuses one
-- (CREATE INDEX CONCURRENTLY, ALTER TYPE .. ADD VALUE with its use) can stand here. Once applied it is never edited.
`;
