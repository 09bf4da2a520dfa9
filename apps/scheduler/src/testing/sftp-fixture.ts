import { join } from 'node:path';
import { startSftpServer, temporaryDirectory } from '@postloop/local-stack';
import { connectSftp } from '@postloop/sftp';
import type { Connect } from '../sftp-sessions.js';

export interface SftpFixture extends AsyncDisposable {
  /** The account's `/` on disk. */
  root: string;
  connect: Connect;
  /** Nobody listens any more. */
  stop(): Promise<void>;
}

export async function openSftp(): Promise<SftpFixture> {
  const directory = await temporaryDirectory();
  const root = join(directory.path, 'root');
  const user = { username: 'postloop', password: 'secret', root };
  const server = await startSftpServer({ hostKeyFile: join(directory.path, 'key'), users: [user] });
  const { port, hostKeyFingerprint: hostKey } = server;
  return {
    root,
    connect: () => connectSftp({ host: '127.0.0.1', port, username: 'postloop', password: 'secret', hostKey }),
    stop: () => server.stop(),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
