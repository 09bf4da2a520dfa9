import { constants } from 'node:os';
import type { SFTPWrapper } from 'ssh2';
import { toAttributes } from './sftp-attributes.js';
import * as files from './sftp-files.js';
import { Handles, type OpenFile } from './sftp-handles.js';
import type { Jail } from './sftp-jail.js';

/** SFTP v3 status codes (filexfer-02, section 7). */
const OK = 0;
const EOF = 1;
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;
const UNSUPPORTED = 8;

/** Largest READ answered, bytes: a client may ask for anything up to 4 GB. */
const MAX_READ = 256 * 1024;
/** Entries per READDIR answer, so that it stays well under a packet. */
const ENTRIES_AT_ONCE = 64;

/** Answers the requests of one SFTP channel out of `jail`. Requests do not wait for each other. */
export function serveSftp(sftp: SFTPWrapper, jail: Jail): void {
  const handles = new Handles();
  const answer = (id: number, work: () => Promise<unknown>) => {
    work().catch((error: unknown) => sendStatus(sftp, id, statusOf(error)));
  };
  /** For requests that have nothing to tell but success. */
  const perform = (id: number, work: () => Promise<void>) =>
    answer(id, async () => {
      await work();
      sendStatus(sftp, id, OK);
    });

  sftp.on('OPEN', (id, path, flags, attributes) =>
    answer(id, async () => {
      if (handles.full) throw new Error('too many open files');
      const file = await files.openFile(jail, path, flags, attributes);
      sftp.handle(id, handles.add({ file, busy: new Set() }));
    }),
  );
  sftp.on('READ', (id, handle, offset, length) =>
    answer(id, () => read(sftp, id, handles.file(handle), offset, length)),
  );
  sftp.on('WRITE', (id, handle, offset, data) => perform(id, () => write(handles.file(handle), offset, data)));
  sftp.on('CLOSE', (id, handle) =>
    perform(id, async () => {
      if (!(await handles.close(handle))) throw badHandle();
    }),
  );
  sftp.on('FSTAT', (id, handle) =>
    answer(id, async () => sftp.attrs(id, toAttributes(await known(handles.file(handle)).file.stat()))),
  );
  sftp.on('FSETSTAT', (id, handle, attributes) =>
    perform(id, () => files.setFileAttributes(known(handles.file(handle)).file, attributes)),
  );
  sftp.on('STAT', (id, path) => answer(id, async () => sftp.attrs(id, await files.attributesOf(jail, path, true))));
  sftp.on('LSTAT', (id, path) => answer(id, async () => sftp.attrs(id, await files.attributesOf(jail, path, false))));
  sftp.on('SETSTAT', (id, path, attributes) => perform(id, () => files.setAttributes(jail, path, attributes)));
  sftp.on('OPENDIR', (id, path) =>
    answer(id, async () => {
      if (handles.full) throw new Error('too many open directories');
      sftp.handle(id, handles.add({ rest: await files.listDirectory(jail, path) }));
    }),
  );
  sftp.on('READDIR', (id, handle) =>
    answer(id, async () => {
      const names = known(handles.directory(handle)).rest.splice(0, ENTRIES_AT_ONCE);
      if (names.length === 0) sendStatus(sftp, id, EOF);
      else sftp.name(id, names);
    }),
  );
  sftp.on('REMOVE', (id, path) => perform(id, () => files.removeFile(jail, path)));
  sftp.on('RENAME', (id, from, to) => perform(id, () => files.renameFile(jail, from, to)));
  sftp.on('MKDIR', (id, path, attributes) => perform(id, () => files.makeDirectory(jail, path, attributes)));
  sftp.on('RMDIR', (id, path) => perform(id, () => files.removeDirectory(jail, path)));
  sftp.on('REALPATH', (id, path) =>
    answer(id, async () => sftp.name(id, [{ filename: jail.virtual(path), longname: '', attrs: NO_ATTRIBUTES }])),
  );
  for (const refused of ['READLINK', 'SYMLINK', 'EXTENDED']) {
    sftp.on(refused, (id: number) => sendStatus(sftp, id, UNSUPPORTED));
  }
  // The client is through: the command line client waits for the channel to be closed from here as well.
  sftp.on('end', () => sftp.end());
  sftp.on('close', () => handles.closeAll());
}

const NO_ATTRIBUTES = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

async function read(sftp: SFTPWrapper, id: number, open: OpenFile | undefined, offset: number, length: number) {
  const { file, busy } = known(open);
  const wanted = Math.min(length, MAX_READ);
  const work = file.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
  busy.add(work);
  const { bytesRead, buffer } = await work.finally(() => busy.delete(work));
  if (bytesRead === 0) sendStatus(sftp, id, EOF);
  else sftp.data(id, buffer.subarray(0, bytesRead));
}

async function write(open: OpenFile | undefined, offset: number, data: Buffer): Promise<void> {
  const { file, busy } = known(open);
  const work = file.write(data, 0, data.length, offset);
  busy.add(work);
  await work.finally(() => busy.delete(work));
}

function known<T>(open: T | undefined): T {
  if (open === undefined) throw badHandle();
  return open;
}

function badHandle(): Error {
  return Object.assign(new Error('no such handle'), { errno: -constants.errno.EBADF, code: 'EBADF' });
}

const STATUS_OF_ERRNO = new Map([
  ['ENOENT', NO_SUCH_FILE],
  ['ENOTDIR', NO_SUCH_FILE],
  ['ELOOP', NO_SUCH_FILE],
  ['EACCES', PERMISSION_DENIED],
  ['EPERM', PERMISSION_DENIED],
]);

function statusOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return STATUS_OF_ERRNO.get(code) ?? FAILURE;
}

const WORDS = new Map([
  [OK, 'Success'],
  [EOF, 'End of file'],
  [NO_SUCH_FILE, 'No such file'],
  [PERMISSION_DENIED, 'Permission denied'],
  [UNSUPPORTED, 'Operation unsupported'],
]);

function sendStatus(sftp: SFTPWrapper, id: number, code: number): void {
  sftp.status(id, code, WORDS.get(code) ?? 'Failure');
}
