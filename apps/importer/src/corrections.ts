import { type FileFault, FileRejected } from '@postloop/contracts';
import { CsvFault, formatRow, type Row, readRows } from '@postloop/csv-dialect';
import type { Correction } from '@postloop/db';

/** More is a new file. */
const MOST_ROWS = 100_000;
const TOLD = 1_000;

/**
 * Reads the corrected rows of a restart file: `line;<columns as in the file>`, the line being that of the row which it stands
 * in for. An empty file has none. @throws FileRejected
 */
export async function readCorrections(source: AsyncIterable<Buffer>, columns: number): Promise<Correction[]> {
  const corrections = new Map<number, Correction>();
  const faults: FileFault[] = [];
  try {
    for await (const { line: at, values: row } of readRows(source, { columns: columns + 1 })) {
      const [text = null, ...values] = row;
      const line = lineOf(text);
      const problem = problemOf(line, corrections);
      if (problem) faults.push({ code: 'correction', line: at, column: 1, ...problem });
      else corrections.set(line, { line, values });
      if (faults.length === TOLD) break;
    }
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    const { code, line, column, message, remedy } = error;
    faults.push({ code, line, column, message, remedy });
  }
  const [first, ...rest] = faults;
  if (first) throw new FileRejected([first, ...rest]);
  return [...corrections.values()];
}

const lineOf = (text: string | null): number => (/^[1-9]\d{0,14}$/.test(text ?? '') ? Number(text) : 0);

function problemOf(
  line: number,
  corrections: ReadonlyMap<number, Correction>,
): Pick<FileFault, 'message' | 'remedy'> | undefined {
  if (line === 0)
    return {
      message: 'this is no line number.',
      remedy: 'Begin each row with the line, as the error file tells it, of the row that it stands in for.',
    };
  if (corrections.has(line))
    return { message: `line ${line} is corrected twice.`, remedy: 'Send one row for each line.' };
  if (corrections.size === MOST_ROWS)
    return {
      message: `there are more than ${MOST_ROWS} corrected rows.`,
      remedy: 'Upload the whole file under a new name.',
    };
  return undefined;
}

/** Corrected rows as records of the file, each to be taken when the row comes by that it stands in for. */
export class RowCorrections {
  readonly #records: Map<number, Buffer>;

  constructor(corrections: readonly { line: bigint; values: Row }[]) {
    this.#records = new Map(
      corrections.map(({ line, values }) => [Number(line), Buffer.from(formatRow(values).slice(0, -1))]),
    );
  }

  /** The record in the place of the one that begins at this line. */
  take(line: number): Buffer | undefined {
    if (this.#records.size === 0) return undefined;
    const record = this.#records.get(line);
    if (record) this.#records.delete(line);
    return record;
  }

  /** Once all rows came by. @throws FileRejected naming lines at which no row of the file begins */
  checkAllTaken(): void {
    const [first, ...rest] = [...this.#records.keys()].map(
      (line): FileFault => ({
        code: 'correction',
        line,
        column: null,
        message: 'no row of the file begins at this line, but a corrected one was sent for it.',
        remedy: 'It is left out from now on: send it with the right line in another restart file.',
      }),
    );
    if (first) throw new FileRejected([first, ...rest]);
  }
}
