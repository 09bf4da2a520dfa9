import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { shown } from '../harness/statistics.js';
import { ASSUMED, breaksAt, type Measured, partsOf } from './capacity.js';
import type { FittedRun, Predicted } from './fit.js';
import type { SetUp } from './pipeline.js';

/** What the model says of a set-up that was run. */
export interface Check extends FittedRun {
  predicted: Predicted;
}

export const errorOf = ({ predicted, run }: Check): number => predicted.rate / run.rate - 1;

export function nameOf({ workers, connections, relayDelay }: SetUp, mailKb: number): string {
  const relay = relayDelay === 0 ? 'at once' : `in ${relayDelay * 1_000} ms`;
  return `${workers} ${workers === 1 ? 'worker' : 'workers'} × ${connections} connections, ${Math.round(mailKb)} KB, relay answers ${relay}`;
}

const LOADS = [1, 10, 100];

/** What the model says, as sections of docs/SCALING.md. */
export function modelReport(
  measured: Measured,
  worker: Predicted,
  { fitted, unseen }: { fitted: readonly Check[]; unseen: readonly Check[] },
): string {
  const { run, costs, idle } = measured;
  const micro = (seconds: number) => shown(seconds * 1e6);
  const stage = (name: string, { app, postgres, walBytes }: Measured['import']) => [
    name,
    micro(app),
    micro(postgres),
    shown(walBytes),
  ];
  const parts = partsOf(measured, worker);
  const breaking = parts.filter(({ limit }) => limit !== undefined).sort((a, b) => breaksAt(a) - breaksAt(b));
  return [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, mails of ${shown(run.mailKb)} KB.`,
    table(
      ['step', 'app, µs of CPU', 'PostgreSQL, µs of CPU', 'WAL, bytes'],
      [
        stage('a row, from upload to a batch', measured.import),
        ['a mail: made', micro(costs.making), '', ''],
        ['a mail: written, answer read', micro(costs.writing), micro(costs.postgres), shown(run.walBytesPerMail)],
        ['a commit for many mails', micro(costs.senderCommit), micro(costs.postgresCommit), ''],
        ['– on top, where senders share cores', micro(costs.senderCommitShared), micro(costs.postgresCommitShared), ''],
        stage('an event, answered and recorded', measured.event),
        stage('a row exported', measured.exported),
      ],
    ),
    `A commit waits ${shown(costs.flush * 1e6)} µs for the disk; of cores that are full ${percent(idle)} stands idle (fitted).`,
    'What the model is fitted to (model / measured):',
    checkTable(fitted),
    'What it is not fitted to, predicted first and then run (model / measured):',
    checkTable(unseen),
    `A worker with ${ASSUMED.connections} connections to relays that take ${ASSUMED.relayDelay * 1_000} to ${shown((ASSUMED.relayDelay + ASSUMED.relaySpread) * 1_000)} ms a mail sends ${shown(worker.rate)} mails/s with ${shown(worker.commitsPerMail)} commits a mail; it is planned with ${percent(ASSUMED.load)} of that. ${ASSUMED.eventsPerMail} events and ${ASSUMED.exportedPerMail} exported rows a mail.`,
    table(
      ['needed', ...LOADS.map((load) => `${load} million mails/h`)],
      parts.map(({ name, perMail }) => [name, ...LOADS.map((load) => needed(name, (perMail * load * 1e6) / 3_600))]),
    ),
    'One of each, in the order in which they break:',
    table(
      ['part', 'carries', 'is full at, million mails/h'],
      breaking.map((part) => [part.name, part.limitIs ?? '', shown(breaksAt(part) / 1e6)]),
    ),
  ].join('\n\n');
}

function checkTable(checks: readonly Check[]): string {
  const cpuOf = ({ cpu }: Predicted) => shown((cpu.sender + cpu.postgres) * 1e6);
  const both = ({ predicted, run }: Check, of: (one: Predicted) => string) => `${of(predicted)} / ${of(run)}`;
  return table(
    ['set-up', 'mails/s', 'error', 'commits a mail', 'µs of CPU of sender and PostgreSQL a mail'],
    checks.map((check) => [
      nameOf(check.setUp, check.run.mailKb),
      both(check, ({ rate }) => shown(rate)),
      percent(errorOf(check)),
      both(check, ({ commitsPerMail }) => shown(commitsPerMail)),
      both(check, cpuOf),
    ]),
  );
}

/** Whole ones, where there are no halves. */
const needed = (name: string, amount: number): string =>
  /^sender workers|connections/.test(name) ? shown(Math.ceil(amount)) : shown(amount);

const percent = (share: number): string => `${Math.round(share * 100)} %`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const DOCUMENT = fileURLToPath(new URL('../../../docs/SCALING.md', import.meta.url));
const MARKERS = /<!-- model -->.*<!-- \/model -->/s;

/** @throws Error when docs/SCALING.md has no place for it */
export function writeModel(report: string): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  if (!MARKERS.test(text)) throw new Error('docs/SCALING.md has no lines <!-- model --> and <!-- /model -->');
  writeFileSync(
    DOCUMENT,
    text.replace(MARKERS, () => `<!-- model -->\n\n${report}\n\n<!-- /model -->`),
  );
}
