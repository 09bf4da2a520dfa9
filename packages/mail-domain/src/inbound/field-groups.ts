import { type HeaderField, parseHeaderFields } from './header-fields.js';

const NAMES_RECIPIENT: ReadonlySet<string> = new Set(['original-recipient', 'final-recipient']);

/**
 * Blocks of header-like fields between empty lines, as in delivery status and feedback reports. Some servers leave out the empty line
 * between recipients: a field that names one again begins another block. Empty blocks are left out.
 */
export function parseFieldGroups(lines: readonly string[]): HeaderField[][] {
  const groups: string[][] = [[]];
  for (const line of lines) {
    if (line.trim() === '') groups.push([]);
    else groups.at(-1)?.push(line);
  }
  return groups.map(parseHeaderFields).flatMap(splitAtRecipients);
}

function splitAtRecipients(fields: readonly HeaderField[]): HeaderField[][] {
  const groups: HeaderField[][] = [];
  let group: HeaderField[] = [];
  let named = new Set<string>();
  for (const field of fields) {
    if (named.has(field.name)) {
      groups.push(group);
      group = [];
      named = new Set();
    }
    if (NAMES_RECIPIENT.has(field.name)) named.add(field.name);
    group.push(field);
  }
  return group.length > 0 ? [...groups, group] : groups;
}
