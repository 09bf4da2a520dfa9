import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

// pnpm's strict node_modules makes a package's dependencies the list of what it may import. This holds the lists
// against the layers of docs/ARCHITECTURE.md.

const root = fileURLToPath(new URL('..', import.meta.url));
const ground = ['contracts', 'csv-dialect', 'mail-domain'];
const adapters = ['content', 'db', 'queue', 'sftp', 'service-kit'];
/** Starts everything else as processes; only the CLI and tests stand on it. */
const stack = 'local-stack';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const manifests = (folder: 'apps' | 'packages'): [string, Manifest][] =>
  readdirSync(`${root}${folder}`).map((name) => [
    name,
    JSON.parse(readFileSync(`${root}${folder}/${name}/package.json`, 'utf8')),
  ]);

const own = ({ dependencies = {} }: Manifest): string[] =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith('@postloop/'))
    .map((name) => name.replace('@postloop/', ''));

const packages = manifests('packages');
const apps = manifests('apps');

it('every package has its layer', () => {
  expect(packages.map(([name]) => name).sort()).toEqual([...ground, ...adapters, stack].sort());
});

describe.each(packages)('packages/%s', (name, manifest) => {
  it('imports only from the layers below', () => {
    const allowed = name === stack || ground.includes(name) ? ['contracts'] : ground;
    expect(own(manifest).filter((dependency) => !allowed.includes(dependency))).toEqual([]);
  });
});

describe.each(apps)('apps/%s', (name, manifest) => {
  it('imports packages and no app', () => {
    const allowed = [...ground, ...adapters, ...(name === 'cli' ? [stack] : [])];
    expect(own(manifest).filter((dependency) => !allowed.includes(dependency))).toEqual([]);
  });
});

it.each([
  ['bullmq', ['packages/queue']],
  ['ioredis', ['packages/queue']],
  ['@prisma/client', ['packages/db']],
  ['pg', ['packages/db', 'packages/local-stack', 'packages/queue']],
  ['ssh2-sftp-client', ['packages/sftp']],
  ['nodemailer', ['apps/scheduler', 'apps/sender-workers']],
  ['undici', ['packages/content']],
])('%s is imported in one place', (library, places) => {
  const all = [
    ...packages.map(([name, m]) => [`packages/${name}`, m] as const),
    ...apps.map(([name, m]) => [`apps/${name}`, m] as const),
  ];
  expect(
    all
      .filter(([, { dependencies = {} }]) => library in dependencies)
      .map(([place]) => place)
      .sort(),
  ).toEqual(places);
});

it('the first layer does no I/O', () => {
  const reading = ground.flatMap((name) =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .filter((file) =>
        /from 'node:(fs|net|http|https|tls|dgram|child_process|dns)/.test(
          readFileSync(`${root}packages/${name}/src/${file}`, 'utf8'),
        ),
      )
      .map((file) => `${name}/${file}`),
  );
  expect(reading).toEqual([]);
});
