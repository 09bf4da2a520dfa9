import { clientDirectories, inboxPaths } from '@postloop/contracts';
import type { InboxDirectory } from '@postloop/db';
import type { SftpSession } from '@postloop/sftp';

/**
 * Uploads a recipient file as a customer does: under a temporary name, then renamed. @returns its path on the server
 * @throws SftpAlreadyExists when a file of that name waits there
 */
export async function uploadRecipientFile(
  sftp: SftpSession,
  target: { clientDirectory: string; directory: InboxDirectory; fileName: string },
  content: Parameters<SftpSession['putAtomic']>[1],
): Promise<string> {
  await sftp.makeDirectories(clientDirectories(target.clientDirectory));
  const path = `${inboxPaths(target.clientDirectory, target.directory).inbox}/${target.fileName}`;
  await sftp.putAtomic(path, content);
  return path;
}
