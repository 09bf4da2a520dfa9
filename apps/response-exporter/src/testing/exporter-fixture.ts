import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, deployMigrations, openDatabase } from '@postloop/db';
import { type PostgresServer, startPostgres, startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { Resources } from '@postloop/service-kit';
import { connectSftp, type SftpSession } from '@postloop/sftp';

export interface ExporterFixture extends AsyncDisposable {
  /** A migrated database of its own. */
  newDatabase(): Promise<Database>;
  connect(): Promise<SftpSession>;
  /** The content of the client's `export/`, by name; dotfiles too. */
  exported(clientDirectory: string): Promise<Record<string, string>>;
  /** One file of it. */
  exportedBytes(clientDirectory: string, name: string): Promise<Buffer>;
  /** Its files gone: for the next test. */
  emptyExports(clientDirectory: string): Promise<void>;
}

/** Real PostgreSQL and a real SFTP server. */
export async function startExporterFixture(): Promise<ExporterFixture> {
  const resources = new Resources();
  const directory = resources.add(await temporaryDirectory());
  const postgres = resources.add(await startPostgres({ dir: join(directory.path, 'postgres') }));
  const user = { username: 'postloop', password: 'secret', root: join(directory.path, 'sftp') };
  const sftp = resources.add(await startSftpServer({ hostKeyFile: join(directory.path, 'host_key'), users: [user] }));
  const folderOf = (clientDirectory: string) => join(user.root, clientDirectory, 'export');
  let databases = 0;
  return {
    async newDatabase() {
      databases += 1;
      return resources.add(await migrated(postgres, `exporter_${databases}`));
    },
    connect: () =>
      connectSftp({
        host: '127.0.0.1',
        port: sftp.port,
        username: user.username,
        password: user.password,
        hostKey: sftp.hostKeyFingerprint,
      }),
    exportedBytes: (clientDirectory, name) => readFile(join(folderOf(clientDirectory), name)),
    async emptyExports(clientDirectory) {
      await rm(folderOf(clientDirectory), { recursive: true, force: true });
    },
    async exported(clientDirectory) {
      const folder = folderOf(clientDirectory);
      const names = (await readdir(folder)).sort();
      const read = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
      return Object.fromEntries(await Promise.all(read));
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

async function migrated(postgres: PostgresServer, name: string): Promise<Database> {
  const url = await postgres.createDatabase(name);
  await deployMigrations(url);
  return openDatabase({ url, poolMax: 6, onError: () => undefined });
}
