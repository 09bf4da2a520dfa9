import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describeError } from '@postloop/contracts';
import { selectExports } from '@postloop/db';
import { expect, it } from 'vitest';
import { soakOptions } from '../support/env.js';
import { type Random, seededRandom } from '../support/random.js';
import { until } from '../support/until.js';
import { addClient, openWorld, type TestClient, type World } from '../support/world.js';
import { account } from './account.js';
import { keepAlive } from './apps.js';
import { type FaultKind, faultKinds, type MadeFault } from './faults.js';
import { startLoad } from './load.js';
import { startPeople } from './people.js';
import { untilQuiet } from './quiet.js';
import { serversOf } from './servers.js';

const CONNECTIONS = 4;
const CLIENTS = ['north', 'south', 'west'];
/** Enough for 5,000 mails and 20 faults in ten minutes with room. */
const MAILS_PER_MINUTE = 700;
const FAULTS_PER_MINUTE = 3;
const QUIET_MS = 10 * 60_000;

const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

it('loses no mail and no event, and repeats none, whatever fails', async () => {
  const { minutes, seed } = soakOptions();
  await using world = await openWorld({
    env: {
      SMTP_CONNECTIONS: String(CONNECTIONS),
      BATCH_SIZE: '50',
      RETRY_SCHEDULE: '1,1,2,3,5,8,13',
      // What fails is tried for as long as the soak lasts.
      LOG_LEVEL: 'warn',
    },
  });
  await using servers = serversOf(world);
  const apps = keepAlive(world, say);
  const clients: TestClient[] = [];
  for (const name of CLIENTS) clients.push(await addClient(world, name));
  const load = startLoad(world, clients, seededRandom(seed));
  const people = startPeople(seededRandom(seed + 1));
  const places = CONNECTIONS * 2;
  const faultRandom = seededRandom(seed + 2);
  const kinds = faultKinds({ apps, servers, random: faultRandom, places });

  say(
    `seed ${seed}, ${minutes} minutes, ${clients.length} clients, faults: ${kinds.map(({ name }) => name).join(', ')}`,
  );
  const end = Date.now() + minutes * 60_000;
  const [made] = await Promise.all([
    makeFaults(kinds, faultRandom, end),
    uploadFiles(load, end),
    repeatUntil(end, 1_500, () => load.poll()),
    repeatUntil(end, 2_000, () => people.react(servers.inbox())),
    repeatUntil(end, 45_000, () => askForExports(world, clients)),
  ]);

  say('no more faults: waiting until everything is done');
  servers.inbox().behaveNormally();
  const left = await untilQuiet(world, load.files.length, () => load.poll(), QUIET_MS);
  await people.react(servers.inbox());
  await until('all events are recorded', () => eventsRecorded(world, people), 60_000).catch((error: Error) =>
    say(error.message),
  );
  await exportAll(world, clients);
  apps.release();

  const balance = await account(world, servers.inbox(), load, people, clients);
  const window = made.reduce((sum, fault) => sum + fault.window, 0);
  const result = {
    seed,
    mails: balance.mails,
    faults: made.length,
    kinds: new Set(made.map(({ kind }) => kind)).size,
    missing: balance.missing,
    twice: balance.twice,
    unknown: balance.unknown,
    window,
  };
  for (const kind of new Set(made.map((fault) => fault.kind)))
    say(`${String(made.filter((fault) => fault.kind === kind).length).padStart(4)} × ${kind}`);
  for (const [name, count] of Object.entries({ ...balance, parts: undefined, ...balance.parts }))
    if (typeof count === 'number') say(`${String(count).padStart(6)} ${name}`);
  for (const text of [...left, ...apps.crashed.map((name) => `${name} crashed`)]) say(`NOT DONE: ${text}`);
  // The last line of the command is printed by scripts/run.mjs, after the test runner's own.
  keep(result);
  expect({ missing: result.missing, twice: result.twice, left }).toEqual({ missing: 0, twice: 0, left: [] });
  expect(result.unknown).toBeLessThanOrEqual(window);
});

function keep(result: object): void {
  mkdirSync('node_modules/.postloop', { recursive: true });
  writeFileSync('node_modules/.postloop/soak.json', `${JSON.stringify(result)}\n`);
}

/** All kinds in a shuffled order, then again: none is left out by chance. */
async function makeFaults(kinds: readonly FaultKind[], random: Random, end: number): Promise<MadeFault[]> {
  const made: MadeFault[] = [];
  let deck: FaultKind[] = [];
  for (;;) {
    await pause(
      Math.min(Math.max(0, end - Date.now()), (60_000 / FAULTS_PER_MINUTE) * (0.5 + random.below(100) / 200)),
    );
    if (Date.now() >= end) return made;
    if (deck.length === 0) deck = [...kinds];
    const [kind] = deck.splice(random.below(deck.length), 1);
    if (!kind) return made;
    const fault = { kind: kind.name, ...(await kind.make()) };
    made.push(fault);
    say(`fault ${made.length}: ${fault.kind}, ${fault.what}`);
  }
}

async function uploadFiles(load: ReturnType<typeof startLoad>, end: number): Promise<void> {
  while (Date.now() < end) {
    const rows = load.upload();
    await pause(Math.min(Math.max(0, end - Date.now()), (rows / MAILS_PER_MINUTE) * 60_000));
  }
}

/** What a fault breaks meanwhile is tried again the next time. */
async function repeatUntil(end: number, everyMs: number, work: () => Promise<void>): Promise<void> {
  while (Date.now() < end) {
    await work().catch((error: unknown) => say(`meanwhile: ${describeError(error)}`));
    await pause(Math.min(Math.max(0, end - Date.now()), everyMs));
  }
}

async function askForExports({ producer }: World, clients: readonly TestClient[]): Promise<void> {
  for (const { id } of clients) await producer.enqueue('responseExport', { v: 1, clientId: id, resume: false });
}

/** A last run of every client, planned after everything was recorded. */
async function exportAll({ db, producer }: World, clients: readonly TestClient[]): Promise<void> {
  for (const { id } of clients) {
    await until(
      'no export is under way',
      async () => (await selectExports(db.pool, id)).every(({ status }) => status === 'done') || undefined,
    );
    const before = (await selectExports(db.pool, id)).length;
    await producer.enqueue('responseExport', { v: 1, clientId: id, resume: false });
    await until('the last export is done', async () => {
      const runs = await selectExports(db.pool, id);
      return (runs.length > before && runs.every(({ status }) => status === 'done')) || undefined;
    });
  }
}

/** The gateway records in batches: everything that it answered is in the database. */
async function eventsRecorded({ db }: World, { opens, clicks }: ReturnType<typeof startPeople>) {
  const { rows } = await db.pool.query<{ events: number }>('SELECT count(*)::int AS events FROM event');
  const answered = [...opens.values(), ...clicks.values()].reduce((sum, one) => sum + one.answered, 0);
  return (rows[0]?.events ?? 0) >= answered || undefined;
}
