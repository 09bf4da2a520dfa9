import type { Halt } from '@postloop/db';
import { table } from './format.js';

/** Directories from which nothing is taken, and how they go on, for a person. */
export function describeHalts(halts: readonly Halt[]): string {
  const rows = halts.map((one) => [one.clientName, one.directory, one.haltedAt, one.importId, one.fileName]);
  const list = table(['client', 'halted', 'since', 'import', 'file'], rows, 'no directory has stopped');
  return halts.length === 0 ? list : `${list}go on: postloop import restart ID, or without the file: import skip ID\n`;
}
