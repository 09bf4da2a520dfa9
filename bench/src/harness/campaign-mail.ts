/** What a bench's mail is like. */
export interface MailShape {
  /** Of the HTML that is the same in all mails. */
  staticBytes: number;
  links: number;
}

/** 20 KB on the wire. */
export const USUAL_MAIL: MailShape = { staticBytes: 13_000, links: 12 };

const FIELDS = 15;
const fieldNames = Array.from({ length: FIELDS }, (_, i) => `Field ${i + 1}`);
const text = { type: 'varchar', length: 255, required: false, role: null } as const;
const id = { type: 'bigint', length: null, required: false } as const;

/** Address, the two IDs of the interface and the fields that stand in the mail. */
export const LIST_FIELDS = [
  { ...text, name: 'Email', role: 'email', required: true },
  { ...id, name: 'BROADMAIL_ID', role: 'broadmail_id' },
  { ...id, name: 'WAVE_ID', role: 'wave_id' },
  ...fieldNames.map((name) => ({ ...text, name })),
] as const;

const SENTENCE =
  'Neue Ware für den Winter: warme Jacken, feste Schuhe und alles, was man draußen braucht – jetzt im Laden und im Netz. ';

export function htmlOf({ staticBytes, links }: MailShape): string {
  const rows = Array.from({ length: links }, (_, i) => {
    const field = fieldNames[i % FIELDS];
    const words = SENTENCE.repeat(Math.max(1, Math.round(staticBytes / links / SENTENCE.length) - 1));
    return `<tr><td style="padding: 12px; font-family: sans-serif">${words}{{${field}}} <a href="https://shop.example/offers/${i}?campaign=winter">Angebot ${i}</a></td></tr>\n`;
  });
  const rest = fieldNames.slice(links).map((field) => `<p>{{${field}}}</p>\n`);
  return `<!DOCTYPE html><html><body><table>\n${rows.join('')}</table>${rest.join('')}</body></html>\n`;
}

export function textOf({ staticBytes }: MailShape): string {
  const lines = Array.from({ length: Math.round(staticBytes / 4 / SENTENCE.length) }, () => SENTENCE);
  return `Guten Tag {{Field 1}} {{Field 2}},\n${lines.join('\n')}\n`;
}

/** One recipient's row: addresses in no order, as in life. */
export function valuesOf(sourceId: bigint, row: number): string[] {
  const mixed = (Math.imul(row, 0x9e37_79b1) >>> 0).toString(36);
  const address = `${mixed}.${row}@mail${row % 50}.example`;
  const fields = fieldNames.map((_, i) => (i === 0 ? 'Zoë' : `Wert ${mixed} ${i}`));
  return [address, String(sourceId), '77', ...fields];
}

/** @param columns so many, the first ones */
export const csvLine = (sourceId: bigint, row: number, columns: number): string =>
  `${valuesOf(sourceId, row).slice(0, columns).join(';')}\n`;
