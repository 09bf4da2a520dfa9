import { setTimeout as pause } from 'node:timers/promises';
import { requestsOf, waitingBytes } from '../gateway.js';
import type { Campaign } from '../harness/campaign.js';
import { loadWeb } from '../harness/web-load.js';
import { type Usage, usageOf } from './measure.js';

/** What one row or event takes, in seconds of CPU and bytes. */
export interface StageCosts {
  app: number;
  postgres: number;
  walBytes: number;
}

/** From the upload to batches that can be sent: of importer and mailing-factory together. The mailing is not sent. */
export async function measureImport(
  campaign: Campaign,
  rows: number,
): Promise<{ costs: StageCosts; mailingId: bigint }> {
  const pids = { importer: campaign.house.app('importer').pid, factory: campaign.house.app('mailing-factory').pid };
  let mailingId = 0n;
  const used = await usageOf(campaign, pids, async () => {
    mailingId = await campaign.prepare(rows);
  });
  return { costs: perThing(used, rows), mailingId };
}

/** Opens, answered and recorded. */
export async function measureEvents(campaign: Campaign, mailingId: bigint, dir: string): Promise<StageCosts> {
  const { pixel } = await requestsOf(campaign, mailingId);
  const gateway = await campaign.house.start('tracking-gateway');
  let events = 0;
  const used = await usageOf(campaign, { gateway: gateway.pid }, async () => {
    events = (await loadWeb(dir, [campaign.house.publicUrl], pixel, 2)).answers;
    while ((await waitingBytes(gateway)) > 0) await pause(20);
  });
  await gateway.stop();
  return perThing(used, events);
}

/** All that was sent and opened so far, to files. */
export async function measureExport(campaign: Campaign): Promise<StageCosts> {
  const { db, house, producer, clientId } = campaign;
  const exporter = await house.start('response-exporter');
  const used = await usageOf(campaign, { exporter: exporter.pid }, async () => {
    await producer.enqueue('responseExport', { v: 1, clientId, resume: false });
    while (!(await isExported(campaign))) await pause(20);
  });
  await exporter.stop();
  const { rows } = await db.pool.query<{ rows: number }>(
    `SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM delivery) AS rows`,
  );
  return perThing(used, Number(rows[0]?.rows ?? 1));
}

async function isExported({ db, clientId }: Campaign): Promise<boolean> {
  const { rows } = await db.pool.query(`SELECT 1 FROM export WHERE client_id = $1 AND status = 'done'`, [clientId]);
  return rows.length > 0;
}

function perThing({ cpu, walBytes }: Usage, things: number): StageCosts {
  const { postgres = 0, redis, ...apps } = cpu;
  const app = Object.values(apps).reduce((sum, seconds) => sum + seconds, 0);
  return { app: app / things, postgres: postgres / things, walBytes: walBytes / things };
}
