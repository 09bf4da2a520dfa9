import { readFileSync } from 'node:fs';
import { appNames } from '@postloop/local-stack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exposed, readExposition, unknownNames } from './support/exposition.js';
import { mailTo } from './support/mail.js';
import { until } from './support/until.js';
import { addClient, openWorld, rowsFor, runExport, untilSent, upload, type World } from './support/world.js';

interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
}

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const dashboard: { panels: Panel[] } = JSON.parse(read('infra/grafana/postloop.json'));
const document = read('docs/OBSERVABILITY.md');

/** The rows of the table under a heading, as cells. */
function tableUnder(heading: string): string[][] {
  const [, section = ''] = document.split(`\n## ${heading}\n`);
  const [, table = ''] = /\n((?:\|.*\n)+)/.exec(section) ?? [];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const codes = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

let world: World;
/** Of all apps, after one file went through and one of its mails was opened. */
let exposed: Exposed;
const byApp = new Map<string, Exposed>();
beforeAll(async () => {
  world = await openWorld();
  const client = await addClient(world, 'measured');
  await untilSent(world, client, await upload(world, client, rowsFor(client, 3)));
  const { pixel } = await mailTo(world.stack.inbox, 'p0@measured.example');
  expect((await fetch(pixel)).status).toBe(200);
  await runExport(world, client);
  for (const name of appNames) {
    const scraped = await until(`${name} tells what it measures in rounds`, async () => {
      const response = await fetch(`http://127.0.0.1:${world.house.app(name).healthPort}/metrics`);
      const found = readExposition(await response.text());
      return name !== 'scheduler' || found.has('postloop_lag_measured_timestamp_seconds') ? found : undefined;
    });
    byApp.set(name, scraped);
  }
  exposed = new Map([...byApp.values()].flatMap((one) => [...one]));
});
afterAll(() => world[Symbol.asyncDispose]());

describe('the dashboard', () => {
  const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ title, ...target })),
  );

  it.each(queries)('$title: $expr', ({ expr, legendFormat }) => {
    expect(unknownNames(expr, exposed, legendFormat)).toEqual([]);
  });
});

describe('the alerts of docs/OBSERVABILITY.md', () => {
  it.each(tableUnder('Alerts worth having').map(([what = '', when = '']) => ({ what, query: codes(when)[0] ?? '' })))(
    '$what',
    ({ query }) => expect(unknownNames(query, exposed)).toEqual([]),
  );
});

it('docs/OBSERVABILITY.md has every metric of ours with its labels and its app, and no other', () => {
  const told = tableUnder('Metrics').map(([metric = '', labels = '', app]) => [
    codes(metric)[0],
    codes(labels).sort(),
    app,
  ]);
  const own = [...byApp].flatMap(([app, metrics]) =>
    [...metrics]
      .filter(([name]) => name.startsWith('postloop_'))
      .map(([name, labels]) => [name, [...labels.keys()].sort(), app]),
  );
  const sorted = (rows: unknown[][]) => rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  expect(sorted(told)).toEqual(sorted(own));
});

it('a query that names what nobody exposes is found', () => {
  const unknown = (query: string, legend?: string) => unknownNames(query, exposed, legend);
  expect(
    unknown(
      'sum by (status) (rate(postloop_mails_total{status="sent"}[5m])) / scalar(sum(postloop_imported_files_total offset 5m))',
    ),
  ).toEqual([]);
  expect(unknown('rate(postloop_mail_total[5m])')).toEqual(['postloop_mail_total']);
  expect(unknown('postloop_mails_total{state="sent"}')).toEqual(['postloop_mails_total{state}']);
  expect(unknown('postloop_mails_total{status=~"sent|lost"}')).toEqual(['postloop_mails_total{status="lost"}']);
  expect(unknown('sum by (kind) (postloop_mails_total)')).toEqual(['postloop_mails_total{kind}']);
  expect(unknown('postloop_mails_total', '{{queue}}')).toEqual(['postloop_mails_total{queue}']);
  expect(unknown('vector(1)')).toEqual(['no metric in vector(1)']);
});
