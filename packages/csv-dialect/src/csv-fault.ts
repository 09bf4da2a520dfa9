export type CsvFaultCode = 'column_count' | 'quoting' | 'encoding' | 'line_break' | 'record_too_long' | 'header';

const REMEDY: Record<CsvFaultCode, string> = {
  column_count: 'Give every row the same columns, empty ones too; quote a value that holds a semicolon.',
  quoting: 'Quote the whole field and double the quotation marks inside it.',
  encoding: 'Write the file as UTF-8.',
  line_break: 'End lines with LF (or CRLF), and quote a value that holds a line break.',
  record_too_long: 'Look for a quotation mark that is not closed.',
  header: 'Write the names of the recipient list in its order into the first row, or have the header switched off.',
};

/** A fault of a file's structure, with its place: physical line and column (field number), both from 1. */
export class CsvFault extends Error {
  override name = 'CsvFault';
  readonly remedy: string;
  constructor(
    readonly code: CsvFaultCode,
    readonly line: number,
    readonly column: number | null,
    message: string,
  ) {
    super(message);
    this.remedy = REMEDY[code];
  }
}
