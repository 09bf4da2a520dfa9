import { formatRow } from '@postloop/csv-dialect';

/** One row of the demo's recipient file. */
export interface Person {
  email: string;
  broadmailId: bigint;
}

const FIRST = ['Ada', 'Grace', 'Linus', 'Björn', 'Zoë', 'José', 'Chloë', 'Søren', 'Mei', 'Olu'];
const LAST = ['Lovelace', 'Hopper', "O'Neill", 'Müller', 'García', 'Nguyễn', 'Smith; Sons', 'Łukasik', 'Okafor', 'Øst'];
const CITIES = ['London', 'München', 'Kraków', 'São Paulo', 'Reykjavík'];
const pick = (from: readonly string[], at: number): string => from[at % from.length] ?? '';

/** Invents people, each with an address of its own, shared out among the source mailings. */
export function inventPeople(count: number, broadmailIds: readonly bigint[]): { people: Person[]; file: Buffer } {
  const people: Person[] = [];
  const rows: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const broadmailId = broadmailIds[i % broadmailIds.length] ?? 0n;
    const email = `person.${i + 1}@demo${i % 7}.example`;
    people.push({ email, broadmailId });
    const salutation = i % 3 === 0 ? null : pick(['Ms', 'Mr'], i);
    const voucher = i % 11 === 0 ? '' : `AUTUMN-${i + 1}`;
    rows.push(
      formatRow([
        email,
        broadmailId.toString(),
        '77',
        salutation,
        pick(FIRST, i),
        pick(LAST, i >> 3),
        `C-${1000 + i}`,
        pick(CITIES, i >> 2),
        voucher,
      ]),
    );
  }
  return { people, file: Buffer.from(rows.join('')) };
}
