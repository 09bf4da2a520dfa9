/** A fault in a customer's file, told so that the customer can mend it. */
export interface FileFault {
  /** Stable name of the rule that was broken, e.g. `column_count`. */
  code: FaultCode;
  /** Physical line in the file, from 1; null when the fault is of the whole file. */
  line: number | null;
  /** Column (field number) from 1; null when the fault is of the whole line. */
  column: number | null;
  message: string;
  remedy: string;
}

export type FaultCode =
  | 'column_count'
  | 'quoting'
  | 'encoding'
  | 'line_break'
  | 'record_too_long'
  | 'empty_file'
  | 'header'
  | 'bad_value'
  | 'too_many_bad_values'
  | 'source_mailing_unknown'
  | 'source_mailing_status'
  | 'send_at'
  | 'template'
  | 'product_data'
  | 'content'
  | 'file_name_taken'
  | 'content_known'
  | 'file_gone'
  | 'correction'
  | 'order_unknown'
  | 'order_needless';

/** Rejects a whole file. Nothing of it is stored, nothing is sent. */
export class FileRejected extends Error {
  override name = 'FileRejected';
  constructor(readonly faults: readonly [FileFault, ...FileFault[]]) {
    super(describeFault(faults[0]) + (faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''));
  }
}

/** The same file under the same name came before and was accepted: nothing to do, and no error. */
export class FileKnown extends FileRejected {
  override name = 'FileKnown';
}

/** One line: place, what is wrong, what to do. */
export function describeFault(fault: FileFault): string {
  const place = [fault.line !== null && `line ${fault.line}`, fault.column !== null && `column ${fault.column}`].filter(
    Boolean,
  );
  return `${place.length > 0 ? `${place.join(', ')}: ` : ''}${fault.message} ${fault.remedy}`;
}
