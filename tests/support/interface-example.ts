import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

// The customer of docs/INTERFACE.md: what it sets up, and the files that it sends.

/** As in `client.json`. */
export const EXAMPLE_CLIENT = {
  name: 'Example Shop',
  directory: 'example-shop',
  timeZone: 'Europe/Berlin',
  badRowShare: 0.2,
  notices: { addresses: ['ops@shop.example'] },
  export: { extraColumns: ['waveId', 'City'], manifest: true },
  masterList: {
    name: 'Newsletter',
    fields: [
      { name: 'Email', type: 'varchar', length: 255, required: true, role: 'email' },
      { name: 'BROADMAIL_ID', type: 'bigint', required: true, role: 'broadmail_id' },
      { name: 'WAVE_ID', type: 'bigint', role: 'wave_id' },
      { name: 'Salutation', type: 'varchar', length: 255 },
      { name: 'First name', type: 'varchar', length: 255 },
      { name: 'Last name', type: 'varchar', length: 255 },
      { name: 'City', type: 'varchar', length: 255 },
      { name: 'Recommended', type: 'text' },
    ],
  },
} as const;

const MAILING = {
  name: 'Autumn news',
  subject: 'Autumn news for {{ First name | default: "you" }}',
  fromName: 'Example Shop',
  fromAddress: 'news@shop.example',
  campaign: 'Autumn',
};

const BODY = `<html><body>
<p>Hello {{ First name | default: "you" }}!</p>
{% for p in Recommended | products limit: 2 %}<p><a href="{{ p.link }}" data-link-name="Product">{{ p.name }}, {{ p.price | number: 2 }} EUR</a></p>{% endfor %}
<p><a href="https://shop.example/autumn" data-link-name="Autumn">All our news</a> <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body></html>
`;

/** Writes the folder that \`client apply\` and \`source-mailing apply\` take. */
export async function writeExample(folder: string): Promise<{ client: string; mailing: string }> {
  const mailing = join(folder, 'source-mailings', 'autumn-news');
  await mkdir(mailing, { recursive: true });
  await writeFile(join(folder, 'client.json'), clientJson());
  await writeFile(join(mailing, 'mailing.json'), mailingJson());
  await writeFile(join(mailing, 'mail.html'), BODY);
  return { client: folder, mailing };
}

/** A field to a line. */
export function clientJson(): string {
  const text = JSON.stringify(EXAMPLE_CLIENT, null, 2);
  return `${text.replace(/\{\s*"name": "[^"]*",\s*"type"[^}]*\}/g, (field) => field.replace(/\s+/g, ' '))}\n`;
}

export const mailingJson = (): string => `${JSON.stringify(MAILING, null, 2)}\n`;

export const PRODUCTS = `id;name;price;link
001;Lamp;49.9;https://shop.example/p/001
002;"Chair ""Oslo""; oak";129;https://shop.example/p/002
`;

export const RECOMMENDATIONS = `id;recommended
001;002,003
002;001
`;

/** Six rows: three are mailed, one stands on the blocklist, one is a duplicate, one has no address. */
export const recipientFile = (broadmailId: string): string =>
  [
    `ada@shop.example;${broadmailId};77;Ms;Ada;Lovelace;London;001,002`,
    `grace@shop.example;${broadmailId};77;Ms;Grace;"Hopper; ""Amazing""";"";001`,
    `alan@shop.example;${broadmailId};;Mr;Alan;Turing;;`,
    `blocked@shop.example;${broadmailId};78;;Bob;;;`,
    ` Ada@Shop.example;${broadmailId};77;Ms;Ada;Lovelace;London;`,
    `nobody;${broadmailId};;;;;;`,
  ]
    .map((row) => `${row}\n`)
    .join('');

/** Two of three rows are bad: more than the client's share. */
export const faultyFile = (broadmailId: string): string =>
  [
    `linus@shop.example;${broadmailId};79;Mr;Linus;Torvalds;Portland;`,
    `dennis@shop,example;${broadmailId};79;Mr;Dennis;Ritchie;Summit;`,
    `ken@shop.example;${broadmailId};W-79;Mr;Ken;Thompson;;`,
  ]
    .map((row) => `${row}\n`)
    .join('');

export const correctedRows = (broadmailId: string): string =>
  [
    `2;dennis@shop.example;${broadmailId};79;Mr;Dennis;Ritchie;Summit;`,
    `3;ken@shop.example;${broadmailId};79;Mr;Ken;Thompson;;`,
  ]
    .map((row) => `${row}\n`)
    .join('');

/** One value for all that differs from run to run. Texts that belong together go through one of them. */
export function withoutChance(): (text: string) => string {
  const withoutIds = idsInOrder();
  return (text) =>
    withoutIds(
      text
        .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/g, '2026-11-21 08:00:00')
        .replace(/\d{4}-\d\d-\d\d/g, '2026-11-21')
        .replace(/\b\d{8}(?=_[a-z]+)|(?<="day": ")\d{8}/g, '20261121')
        .replace(/(?<=, )\d+(?= bytes$)|(?<="bytes": )\d+/gm, '512')
        .replace(/\b[0-9a-f]{64}\b/g, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
        .replace(/(?<="to": ")\d+/, '9'),
    );
}

/** IDs by their order: the first is 11000. One is the first number of a thousand; a recipient's links have others of it. */
export function idsInOrder(): (text: string) => string {
  const blocks = new Map<bigint, bigint>();
  const standIn = (written: string): string => {
    const id = BigInt(written);
    const ordinal = id % 1_000n;
    const block = blocks.get(id - ordinal) ?? (ordinal === 0n ? BigInt(11_000 + 1_000 * blocks.size) : undefined);
    if (block === undefined) return written;
    blocks.set(id - ordinal, block);
    return String(block + ordinal);
  };
  return (text) => text.replace(/(?<![\d,.-])[1-9]\d{3,12}(?!\d|_[a-z]|-)/g, standIn);
}
