export { CsvFault, type CsvFaultCode } from './csv-fault.js';
export { numberRecords } from './number-records.js';
export { readRows } from './read-rows.js';
export { RecordScanner } from './record-scanner.js';
export { decodeRecord, formatRow, type Row } from './row.js';
