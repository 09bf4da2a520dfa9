import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inboxPaths } from '@postloop/contracts';
import { formatRow } from '@postloop/csv-dialect';
import { type OpenSshServer, startOpenSsh, temporaryDirectory } from '@postloop/local-stack';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptedAddresses } from './support/balance.js';
import { addClient, nextName, openWorld, rowsFor, runExport, untilSent } from './support/world.js';

const run = promisify(execFile);

// Needs OpenSSH's sshd and sftp (Debian: openssh-server); where there is none, there is nothing to test against.
let server: OpenSshServer | undefined;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  server = await startOpenSsh({ dir: join(directory.path, 'ssh') });
});
afterAll(async () => {
  await server?.stop();
  await directory[Symbol.asyncDispose]();
});

it('the apps work against an OpenSSH server, with uploads by its own sftp', async (context) => {
  if (!server) return context.skip('no sshd on this machine');
  const root = join(directory.path, 'exchange');
  mkdirSync(root);
  await using world = await openWorld({
    env: {
      SFTP_PORT: String(server.port),
      SFTP_USERNAME: server.username,
      SFTP_PASSWORD: '',
      SFTP_PRIVATE_KEY: server.privateKey,
      SFTP_HOST_KEY: server.hostPublicKey,
      SFTP_ROOT: root,
    },
  });
  const client = await addClient(world, 'openssh');
  const name = await uploadWithSftp(root, server, inboxPaths(client.directory, 'import').inbox, rowsFor(client, 20));
  await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });

  await untilSent(world, client, name);
  expect(acceptedAddresses(world.stack.inbox).size).toBe(20);
  const exported = await runExport(world, client);
  expect(exported.mailingrecipients).toHaveLength(20);
});

it("OpenSSH's sftp uploads to the local stack's own server", async (context) => {
  if (!server) return context.skip('no sftp client on this machine');
  await using world = await openWorld();
  const client = await addClient(world, 'ownserver');
  const { SFTP_PORT: port = '', SFTP_USERNAME: username = '', SFTP_PASSWORD: password = '' } = world.stack.env;
  const name = await uploadWithSftp(
    '/',
    { port: Number(port), username, password },
    inboxPaths(client.directory, 'import').inbox,
    rowsFor(client, 5),
  );
  await world.producer.enqueue('inboxPoll', { v: 1, clientId: client.id });
  await untilSent(world, client, name);
  expect(acceptedAddresses(world.stack.inbox).size).toBe(5);
});

/** As a customer's script does: put under a temporary name, then rename. */
async function uploadWithSftp(
  root: string,
  account: { port: number; username: string; privateKey?: string; password?: string },
  inbox: string,
  rows: ReturnType<typeof rowsFor>,
): Promise<string> {
  const dir = join(directory.path, `upload-${account.port}`);
  mkdirSync(dir);
  const name = nextName();
  writeFileSync(join(dir, 'rows.csv'), rows.map(formatRow).join(''));
  writeFileSync(join(dir, 'key'), account.privateKey ?? '', { mode: 0o600 });
  writeFileSync(join(dir, 'askpass'), `#!/bin/sh\necho '${account.password ?? ''}'\n`, { mode: 0o700 });
  const target = join(root, inbox);
  writeFileSync(
    join(dir, 'batch'),
    `put ${dir}/rows.csv ${target}/${name}.tmp\nrename ${target}/${name}.tmp ${target}/${name}\nls -l ${target}\n`,
  );
  const options = [
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${dir}/known`,
    'BatchMode=no',
    'NumberOfPasswordPrompts=1',
  ];
  const login = account.privateKey ? ['-i', join(dir, 'key')] : [];
  const { stdout } = await run(
    'sftp',
    [
      '-P',
      String(account.port),
      ...login,
      ...options.flatMap((o) => ['-o', o]),
      '-b',
      join(dir, 'batch'),
      `${account.username}@127.0.0.1`,
    ],
    {
      env: { PATH: '/usr/bin:/bin', SSH_ASKPASS: join(dir, 'askpass'), SSH_ASKPASS_REQUIRE: 'force', DISPLAY: 'none' },
    },
  );
  expect(stdout).toContain(name);
  return name;
}
