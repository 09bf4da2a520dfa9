import { startOpenSsh } from '@postloop/local-stack';

/** OpenSSH's server on this machine, what most companies run at the other end. */
export interface SftpHost {
  pid: number;
  /** For the apps. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** @param root folder that the apps see as `/` @throws Error that names the package when there is no sshd */
export async function startSftpHost(dir: string, root: string): Promise<SftpHost> {
  const server = await startOpenSsh({ dir });
  if (!server) throw new Error('sshd is missing: install the Debian package openssh-server and run this again');
  return {
    pid: server.pid,
    env: {
      SFTP_PORT: String(server.port),
      SFTP_USERNAME: server.username,
      SFTP_PASSWORD: '',
      SFTP_PRIVATE_KEY: server.privateKey,
      SFTP_HOST_KEY: server.hostPublicKey,
      SFTP_ROOT: root,
    },
    stop: () => server.stop(),
  };
}
