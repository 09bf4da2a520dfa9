import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '@postloop/local-stack';
import { it } from 'vitest';
import { expectDocumented, fenced } from './support/documented.js';
import { Transcript, withoutChance, withoutWidths } from './support/transcript.js';

// What README.md shows is what happens. After a change: UPDATE_DOCS=1 npm test -- tests/readme.test.ts

const EXAMPLES = fileURLToPath(new URL('../examples', import.meta.url));
const PATIENCE_MS = 180_000;

it(
  "a new user's first mails go as README.md says",
  async () => {
    await using directory = await temporaryDirectory();
    const folder = directory.path;
    cpSync(EXAMPLES, join(folder, 'examples'), { recursive: true });
    await using shell = new Transcript(folder);
    await shell.start(['up'], /^Everything stays up until Ctrl-C\.$/m);
    await shell.run('client', 'apply', 'examples/example-shop');
    const applied = await shell.run('source-mailing', 'apply', 'examples/example-shop/source-mailings');
    const [autumn = '', tips = ''] = applied.match(/\d+(?= {2})/g) ?? [];
    const file = '20261121080000_subscribers.csv';
    writeFileSync(join(folder, file), recipients(autumn, tips));
    shell.show(file);
    const ingested = await shell.run('ingest', file, '--client', 'example-shop', '--wait');
    const mailing = /^mailing .*\n *(\d+)/m.exec(ingested)?.[1] ?? '';
    await shell.run('mailing', 'show', mailing);
    await shell.run('export', 'run', 'example-shop');

    expectDocumented('README.md', 'transcript', fenced(withoutChance(shell.text, folder)), withoutWidths);
  },
  PATIENCE_MS,
);

/** One address is there twice, and one is none. */
const recipients = (autumn: string, tips: string): string =>
  [
    `ada@shop.example;${autumn};77;Ms;Ada;Lovelace;C-1001;London;AUTUMN-7`,
    `grace@shop.example;${autumn};77;Ms;Grace;Hopper;C-1002;New York;AUTUMN-8`,
    `grace@shop.example;${autumn};77;Ms;Grace;Hopper;C-1002;New York;AUTUMN-8`,
    `alan@shop.example;${tips};;Mr;Alan;Turing;C-1003;Manchester;`,
  ]
    .map((line) => `${line}\n`)
    .join('');
