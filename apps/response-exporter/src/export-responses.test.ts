import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { PermanentError, RetryLater } from '@postloop/contracts';
import { responseFileKinds, selectExports } from '@postloop/db';
import type { SftpSession } from '@postloop/sftp';
import { describe, expect, test } from 'vitest';
import { ANNA, BOB, beginLateOpen, CARL, CLIENT, DORA, makeEvent, recordEvents } from './testing/finished-mailing.js';
import { useExporter } from './testing/use-exporter.js';

const exporter = await useExporter();
const { fixture, run } = exporter;

const HEADERS = {
  mailings: 'id;compoundMasterId;mailingGroupId;mailing.recipientLists;started;finished\n',
  mailingrecipients: 'id;mailingId;mailingGroupId;userId;created;sendingStatus;deliveryStatus;response.category\n',
  links: 'id;mailingId;mailingToUserId;mailingGroupId;name;url\n',
  clicks: 'linkId;mailingId;mailingToUserId;mailingGroupId;userId;created;click.browser;click.platform;click.device\n',
  opens: 'linkId;mailingId;mailingToUserId;mailingGroupId;userId;created;open.browser;open.platform;open.device\n',
  unsubscribes: 'mailingId;mailingToUserId;mailingGroupId;userId;created\n',
  responses: 'mailingId;mailingToUserId;mailingGroupId;userId;created;category\n',
};

const EMPTY = Object.fromEntries(responseFileKinds.map((kind) => [kind, HEADERS[kind]]));

const named = (files: Record<string, string>, day: string, suffix = '') =>
  Object.fromEntries(Object.entries(files).map(([kind, text]) => [`${day}_${kind}${suffix}.csv`, text]));

const USER = 'Firefox 140;Windows 11;Desktop\n';

/** What the fixture's mailing and three events look like to the external system. */
const FIRST = {
  mailings: `${HEADERS.mailings}20000;7000;5000;8000;2026-07-01 10:00:00;2026-07-01 10:05:00\n`,
  mailingrecipients: [
    HEADERS.mailingrecipients,
    `${ANNA};20000;5000;anna@example.com;2026-07-01 10:01:00;sent;delivered;\n`,
    `${BOB};20000;5000;bob@example.com;2026-07-01 10:02:00;sending;unknown;\n`,
    `${CARL};20000;5000;carl@example.com;2026-07-01 10:00:00;could_not_be_sent;unsubscribed;\n`,
    `${DORA};20000;5000;dora@example.com;2026-07-01 10:03:00;could_not_be_sent;failed;fatal_bounce\n`,
  ].join(''),
  links: [
    HEADERS.links,
    '21000;20000;;5000;pixel;""\n',
    '23000;20000;;5000;"Shop;\n""now""";https://shop.example/?a=1&b=2\n',
    `${ANNA + 4n};20000;${ANNA};5000;Account;https://shop.example/a/Anna\n`,
    `${ANNA + 5n};20000;${ANNA};5000;Own page;https://anna.example/\n`,
    `${BOB + 4n};20000;${BOB};5000;Account;https://shop.example/a/\n`,
  ].join(''),
  clicks: `${HEADERS.clicks}23000;20000;${ANNA};5000;anna@example.com;2026-07-01 10:12:00;${USER}${BOB + 4n};20000;${BOB};5000;bob@example.com;2026-07-01 10:13:00;${USER}`,
  opens: `${HEADERS.opens}21000;20000;${ANNA};5000;anna@example.com;2026-07-01 10:11:00;${USER}`,
  unsubscribes: `${HEADERS.unsubscribes}20000;${BOB};5000;bob@example.com;2026-07-01 10:14:00\n`,
  responses: `${HEADERS.responses}20000;${DORA};5000;dora@example.com;2026-07-01 10:03:01;fatal_bounce\n`,
};

const recordFirst = () =>
  recordEvents(
    exporter.db,
    makeEvent('open', ANNA, 1, '2026-07-01T08:11:00Z'),
    makeEvent('click', ANNA, 3, '2026-07-01T08:12:00Z'),
    makeEvent('click', BOB, 4, '2026-07-01T08:13:00Z'),
    makeEvent('unsubscribe', BOB, 2, '2026-07-01T08:14:00Z'),
  );

describe('a run', () => {
  test('hands back all seven files, byte for byte, and records what they hold', async () => {
    await recordFirst();
    const files = await run();

    const exported = await fixture.exported('acme');
    expect(exported).toEqual(named(FIRST, '20260702'));
    const expected = responseFileKinds.map((kind) => {
      const bytes = Buffer.from(FIRST[kind]);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const rows = { mailings: 1, mailingrecipients: 4, links: 5, clicks: 2, opens: 1, unsubscribes: 1, responses: 1 }[
        kind
      ];
      return { kind, name: `20260702_${kind}.csv`, rows, bytes: bytes.length, sha256 };
    });
    expect(files).toEqual(expected);
    expect(await selectExports(exporter.db.pool, CLIENT)).toMatchObject([{ status: 'done', files: expected }]);
  });

  test('the second of a day has _2 in its names and holds only what is new', async () => {
    await recordFirst();
    await run();
    await recordEvents(exporter.db, makeEvent('open', BOB, 1, '2026-07-01T08:20:00Z'));
    await run();
    await run();

    const news = `21000;20000;${BOB};5000;bob@example.com;2026-07-01 10:20:00;${USER}`;
    expect(await fixture.exported('acme')).toEqual({
      ...named(FIRST, '20260702'),
      ...named({ ...EMPTY, opens: HEADERS.opens + news }, '20260702', '_2'),
      ...named(EMPTY, '20260702', '_3'),
    });
  });

  test('waits for an event that took its ticket before and commits late: it is in exactly one export', async () => {
    const late = await beginLateOpen(exporter.db);
    let ended = false;
    const running = run().finally(() => {
      ended = true;
    });
    while (!ended && !(await somebodyWaits())) await pause(5);
    await late.commit();
    await running;
    await run();

    const exported = await fixture.exported('acme');
    expect(exported['20260702_opens.csv']).toContain('2026-07-01 11:00:00');
    expect(exported['20260702_opens_2.csv']).toBe(HEADERS.opens);
  });
});

/** Does a backend of this database wait for another's lock? */
async function somebodyWaits(): Promise<boolean> {
  const { rowCount } = await exporter.db.pool.query(
    `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  );
  return rowCount !== 0;
}

/** A session whose connection goes at the n-th call of `method`, counted from 1. */
function breakingAt(method: 'upload' | 'rename', n: number): () => Promise<SftpSession> {
  return async () => {
    const session = await fixture.connect();
    let calls = 0;
    return new Proxy(session, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (name === method && ++calls === n) throw new Error('the connection was cut');
          return Reflect.apply(value, target, given);
        };
      },
    });
  };
}

describe('a run that was cut off', () => {
  test('between two renames is taken up again: the same names, the same bytes, whatever came in the meantime', async () => {
    await recordFirst();
    await expect(run({ connect: breakingAt('rename', 4) })).rejects.toThrow('cut');
    const half = await fixture.exported('acme');
    expect(Object.keys(half).filter((name) => !name.startsWith('.'))).toHaveLength(3);

    await recordEvents(exporter.db, makeEvent('open', BOB, 1, '2026-07-01T08:20:00Z'));
    await run({ now: '2026-07-02T22:30:00Z', resume: true });
    expect(await fixture.exported('acme')).toEqual(named(FIRST, '20260702'));

    expect(await run({ now: '2026-07-02T22:31:00Z', resume: true })).toBeUndefined();
    expect(Object.keys(await fixture.exported('acme'))).toHaveLength(7);
    await run({ now: '2026-07-02T22:31:00Z' });
    const next = (await fixture.exported('acme'))['20260703_opens.csv'];
    expect(next?.split('\n')).toHaveLength(3);
  });

  test('while uploading has shown nothing to the external system', async () => {
    await recordFirst();
    await expect(run({ connect: breakingAt('upload', 5) })).rejects.toThrow('cut');
    const names = Object.keys(await fixture.exported('acme'));
    expect(names.every((name) => /^\..*\.part$/.test(name))).toBe(true);

    await run();
    expect(await fixture.exported('acme')).toEqual(named(FIRST, '20260702'));
  });

  test('by a stop of the process comes back', async () => {
    await expect(run({ signal: AbortSignal.abort() })).rejects.toThrow(RetryLater);
    await run();
    expect(Object.keys(await fixture.exported('acme'))).toHaveLength(7);
  });
});

test('two exporters of one client: one works, the other leaves', async () => {
  let second: unknown = 'not asked';
  const connect = async () => {
    second = await run();
    return fixture.connect();
  };
  expect(await run({ connect })).toHaveLength(7);
  expect(second).toBeUndefined();
  expect(Object.keys(await fixture.exported('acme'))).toHaveLength(7);
});

test('an unknown client is no reason to try again', async () => {
  await exporter.db.pool.query('TRUNCATE client CASCADE');
  await expect(run()).rejects.toThrow(PermanentError);
});
