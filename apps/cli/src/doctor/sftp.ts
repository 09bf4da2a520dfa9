import { describeError, logsPath } from '@postloop/contracts';
import { connectSftp, type SftpSession } from '@postloop/sftp';
import { explainSftpError } from '../explain.js';
import { type CheckResult, fail, ok, skipped, warn } from './check.js';

const CHECK = 'sftp';

export interface SftpFindings {
  results: CheckResult[];
  /** Milliseconds that the server's clock is ahead of ours, to the second; undefined when it could not be asked. */
  clockAheadMs: number | undefined;
}

/** @param clientDirectory a directory that we may write below; without it the root is tried */
export async function checkSftp(
  options: Parameters<typeof connectSftp>[0] | undefined,
  clientDirectory: string | undefined,
): Promise<SftpFindings> {
  if (!options) return { results: [skipped(CHECK, 'not configured')], clockAheadMs: undefined };
  const place = `${options.username}@${options.host}:${options.port}`;
  try {
    await using sftp = await connectSftp({ ...options, connectTimeoutMs: 10_000 });
    const found = ok(CHECK, `${place}: logged in, the host key is the pinned one`);
    const directory = clientDirectory === undefined ? '/' : logsPath(clientDirectory);
    const { clockAheadMs, problem } = await tryToWrite(sftp, directory);
    return { results: problem ? [found, problem] : [found], clockAheadMs };
  } catch (error) {
    return { results: [fail(CHECK, explainSftpError(error))], clockAheadMs: undefined };
  }
}

/** The server's time is that of a file which it just wrote: SFTP has no other clock. */
async function tryToWrite(
  sftp: SftpSession,
  directory: string,
): Promise<{ clockAheadMs: number | undefined; problem?: CheckResult }> {
  const path = `${directory.replace(/\/$/, '')}/.postloop-doctor-${process.pid}`;
  try {
    // Made now and then only; a client's directories are made with its first poll.
    if (directory !== '/') await sftp.makeDirectories([directory]);
    await sftp.upload(path, Buffer.from('written by postloop doctor\n'));
    const written = await sftp.stat(path);
    await sftp.remove(path);
    return { clockAheadMs: written ? written.modifiedAt.getTime() - Date.now() : undefined };
  } catch (error) {
    const found = `${path} cannot be written: ${describeError(error)}`;
    const remedy = 'Give the account the right to write below its directory, or set SFTP_ROOT to where it may.';
    // The root itself may be closed on purpose (OpenSSH wants it so for a chroot).
    const told = (directory === '/' ? warn : fail)('sftp', { code: 'sftp_not_writable', found, remedy });
    return { clockAheadMs: undefined, problem: told };
  }
}
