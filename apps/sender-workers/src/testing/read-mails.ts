import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type ReadPart =
  | { type: string; parts: ReadPart[] }
  | {
      type: string;
      charset: string | null;
      /** Empty when there is none. */
      contentId: string;
      disposition: string | null;
      fileName: string | null;
      /** Decoded bytes, in base64. */
      content: string;
    };

/** A mail as another program reads it. */
export interface ReadMail {
  /** Decoded values by the name in small letters; addresses as [name, address]. */
  headers: Record<string, string | [name: string, address: string][]>;
  body: ReadPart;
  /** What it took offence at. */
  defects: string[];
}

const PROGRAM = fileURLToPath(new URL('read_mails.py', import.meta.url));

/** Reads mails with Python's email package. */
export function readMails(mails: readonly Buffer[]): ReadMail[] {
  const input = mails.map((mail) => `${mail.toString('base64')}\n`).join('');
  const { stdout, stderr, status, error } = spawnSync('python3', [PROGRAM], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): ReadMail => JSON.parse(line));
}
