import { FileKnown, FileRejected } from '@postloop/contracts';
import type { EarlierImport, ImportRow } from '@postloop/db';

/** The ledger's four cases (spec 1): new; same name and content; same name, other content; other name, same content. */
export function checkLedger(row: Pick<ImportRow, 'fileName' | 'contentOnce'>, earlier: readonly EarlierImport[]): void {
  const sameName = earlier.find((file) => file.sameName);
  if (sameName?.sameContent)
    throw new FileKnown([
      {
        code: 'content_known',
        line: null,
        column: null,
        message: `${row.fileName} was imported before with the same content.`,
        remedy: 'Nothing to do.',
      },
    ]);
  if (sameName)
    throw new FileRejected([
      {
        code: 'file_name_taken',
        line: null,
        column: null,
        message: `${row.fileName} was imported before with other content.`,
        remedy: 'Upload the file under a name with a new time.',
      },
    ]);
  const sameContent = earlier.find((file) => file.sameContent);
  if (sameContent && row.contentOnce)
    throw new FileRejected([
      {
        code: 'content_known',
        line: null,
        column: null,
        message: `the content is that of ${sameContent.fileName}, which was imported before; nobody is mailed twice.`,
        remedy: 'Upload it to test/ if it is a test, or change the rows.',
      },
    ]);
}
