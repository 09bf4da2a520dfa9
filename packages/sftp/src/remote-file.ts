import { posix } from 'node:path';
import type { FileEntryWithStats, Stats } from 'ssh2';

/** What the server says about one directory entry. */
export interface RemoteFile {
  /** Last part of the path; never holds `/`, NUL or control characters. */
  name: string;
  /** Bytes. */
  size: number;
  /** SFTP v3 counts whole seconds. */
  modifiedAt: Date;
  isDirectory: boolean;
}

/** May a name that a server listed be put into a path, a log line, a file name of our own? */
export function isSafeName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\p{Cc}]/u.test(name);
}

/** Entries with hostile names are left out: no name that we would use could reach them anyway. */
export function toRemoteFiles(entries: FileEntryWithStats[]): RemoteFile[] {
  return entries
    .filter((entry) => isSafeName(entry.filename))
    .map((entry) => toRemoteFile(entry.filename, entry.attrs));
}

export function toRemoteFile(path: string, attributes: Stats): RemoteFile {
  return {
    name: posix.basename(path),
    // Every attribute is optional on the wire (filexfer-02, section 5), whatever the types say.
    size: attributes.size ?? 0,
    modifiedAt: new Date((attributes.mtime ?? 0) * 1000),
    isDirectory: attributes.isDirectory(),
  };
}
