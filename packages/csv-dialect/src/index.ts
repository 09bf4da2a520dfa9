export { CsvFault, type CsvFaultCode } from './csv-fault.js';
export type { HeaderRule } from './header.js';
export { numberRecords } from './number-records.js';
export { readRows } from './read-rows.js';
export { RecordScanner } from './record-scanner.js';
export { decodeRecord, formatRow, formatRowAs, type Row, type RowFormat } from './row.js';
