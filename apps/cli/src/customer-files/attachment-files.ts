import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Attachment } from '@postloop/mail-domain';
import { type FileProblem, throwProblems } from './customer-file-error.js';

/** Of all attachments of a mailing together. Base64 makes them a third larger; many servers take no mail beyond 10 MB. */
const MAX_BYTES = 5_000_000;
const MAX_FILES = 20;

const MEDIA_TYPES: Record<string, string> = {
  '.csv': 'text/csv',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.gif': 'image/gif',
  '.ics': 'text/calendar',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.odt': 'application/vnd.oasis.opendocument.text',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.pptx': 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  '.txt': 'text/plain',
  '.vcf': 'text/vcard',
  '.webp': 'image/webp',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.zip': 'application/zip',
};

/** The files in `attachments/` of a source mailing's folder, by name; hidden ones are left out. @throws CustomerFileError */
export function readAttachments(folder: string): Attachment[] {
  const directory = join(folder, 'attachments');
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory)
    .filter((name) => !name.startsWith('.'))
    .sort();
  const stats = names.map((name) => ({ file: join(directory, name), stat: statSync(join(directory, name)) }));
  const problems: FileProblem[] = stats
    .filter(({ stat }) => !stat.isFile())
    .map(({ file }) => problem(file, 'this is no file.', 'Put the files themselves into attachments/.'));
  if (names.length > MAX_FILES)
    problems.push(problem(directory, `there are ${names.length} files.`, `Attach at most ${MAX_FILES}.`));
  const bytes = stats.reduce((sum, { stat }) => sum + (stat.isFile() ? stat.size : 0), 0);
  if (bytes > MAX_BYTES)
    problems.push(
      problem(
        directory,
        `the attachments have ${bytes} bytes together.`,
        `Attach at most ${MAX_BYTES} bytes, or put the files on a server and link to them.`,
      ),
    );
  throwProblems(problems);
  return names.map((name) => ({
    name,
    mediaType: MEDIA_TYPES[extname(name).toLowerCase()] ?? 'application/octet-stream',
    bytes: readFileSync(join(directory, name)),
  }));
}

const problem = (file: string, message: string, remedy: string): FileProblem => ({ file, path: '', message, remedy });
