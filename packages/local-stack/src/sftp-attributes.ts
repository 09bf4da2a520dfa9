import type { BigIntStats, Stats } from 'node:fs';
import type { Attributes } from 'ssh2';

/** Node's stat as SFTP v3 attributes: bytes, whole seconds. */
export function toAttributes(stats: Stats | BigIntStats): Attributes {
  return {
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    atime: Math.floor(Number(stats.atimeMs) / 1000),
    mtime: Math.floor(Number(stats.mtimeMs) / 1000),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The `ls -l` line of a directory entry, which command line clients print as it is (filexfer-02, section 7). UTC. */
export function longName(name: string, attributes: Attributes): string {
  const date = new Date(attributes.mtime * 1000);
  const day = String(date.getUTCDate()).padStart(2);
  const time = date.toISOString().slice(11, 16);
  const size = String(attributes.size).padStart(12);
  const owner = `${String(attributes.uid).padEnd(8)} ${String(attributes.gid).padEnd(8)}`;
  return `${modeString(attributes.mode)}    1 ${owner} ${size} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${name}`;
}

function modeString(mode: number): string {
  const kind = { 9604: 'd', 21609: 'l' }[mode & 0o170000] ?? '-';
  const bits = [...'rwxrwxrwx'].map((letter, at) => (mode & (0o400 >> at) ? letter : '-'));
  return kind + bits.join('');
}
