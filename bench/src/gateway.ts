import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type AppProcess, freePort, temporaryDirectory } from '@postloop/local-stack';
import { createKeyring, signTokens, type TokenPurpose } from '@postloop/mail-domain';
import { type Campaign, openCampaign } from './harness/campaign.js';
import { USUAL_MAIL } from './harness/campaign-mail.js';
import { figureOptions, type Round, report } from './harness/figure.js';
import { ProcessWatch, pidsOf } from './harness/process-watch.js';
import { medianOf, shown } from './harness/statistics.js';
import { CONNECTIONS, loadWeb, startNginx, THREADS } from './harness/web-load.js';

const SECONDS = 8;
const RECIPIENTS = 2_000;
const PIXEL_ORDINAL = 1;

const PARTS = ['pixel', 'redirect'] as const;
type Part = (typeof PARTS)[number];

/** Programs of a mailing's readers: what the gateway may remember of them is limited. */
const USER_AGENTS = Array.from({ length: 200 }, (_, i) => {
  const system = ['Windows NT 10.0; Win64; x64', 'X11; Linux x86_64', 'Macintosh; Intel Mac OS X 10_15_7'][i % 3];
  return `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${90 + i}.0.0.0 Safari/537.36`;
});

/** One of several, each with a port and a spool of its own, as the replicas of a deployment. */
interface Gateway extends AppProcess {
  url: string;
}

/**
 * `gateway`: pixels and redirects answered with their event on disk, and recorded in PostgreSQL meanwhile, against nginx
 * that only answers; as many gateways as nginx has processes. An answer without its event, or with two, ends it.
 */
export async function gateway(args: readonly string[]): Promise<void> {
  const options = figureOptions(args);
  const seconds = Math.max(1, Math.round(SECONDS * options.scale));
  await using directory = await temporaryDirectory();
  const dir = directory.path;
  await using nginx = await startNginx(dir);
  await using campaign = await openCampaign({
    dir,
    apps: ['sftp-ingest', 'importer', 'mailing-factory'],
    mail: USUAL_MAIL,
  });
  const requests = await requestsOf(campaign, await campaign.prepare(RECIPIENTS));
  const gateways = await Promise.all(
    Array.from({ length: THREADS }, (_, i) => startGateway(campaign, join(dir, `spool-${i}`))),
  );
  // Of a program that runs for weeks, the seconds in which it is compiled say nothing.
  for (const part of PARTS) await gatewayRound(dir, campaign, gateways, requests[part], seconds);
  const rounds: Record<Part, { theirs: Round[]; ours: Round[] }> = {
    pixel: { theirs: [], ours: [] },
    redirect: { theirs: [], ours: [] },
  };
  for (let round = 1; round <= options.rounds; round += 1)
    for (const part of PARTS) {
      const theirs = await nginxRound(dir, nginx, requests[part], seconds);
      const ours = await gatewayRound(dir, campaign, gateways, requests[part], seconds);
      rounds[part].theirs.push(theirs);
      rounds[part].ours.push(ours);
      console.log(`  ${round} ${part}: nginx ${shown(theirs.rate)}, ours ${shown(ours.rate)} answers/s`);
    }
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  const parts = { pixel: shareOf(rounds.pixel), redirect: shareOf(rounds.redirect) };
  const worse = rounds[parts.pixel.ratio <= parts.redirect.ratio ? 'pixel' : 'redirect'];
  report(
    { name: 'gateway', unit: 'answers/s', reach: '≥ 0.25', processes: 5 },
    worse.theirs,
    worse.ours,
    options.scale,
    parts,
  );
}

function shareOf({ theirs, ours }: { theirs: readonly Round[]; ours: readonly Round[] }) {
  const [reference, rate] = [theirs, ours].map((rounds) => medianOf(rounds.map((round) => round.rate)));
  return { rate: rate ?? 0, reference: reference ?? 0, ratio: Number(((rate ?? 0) / (reference ?? 1)).toFixed(3)) };
}

/** One for each recipient and link, as they stand in the mails. */
export async function requestsOf({ db, house }: Campaign, mailingId: bigint): Promise<Record<Part, string[]>> {
  const [id = '', secret = ''] = house.env.TOKEN_KEYS?.split(':') ?? [];
  const keyring = createKeyring({
    keys: [{ id: Number(id), secret: Buffer.from(secret, 'base64') }],
    current: Number(id),
  });
  const { rows } = await db.pool.query<{ id: bigint; ordinal: number }>(
    `SELECT r.id, l.ordinal FROM mailing_recipient r JOIN link l USING (mailing_id)
      WHERE mailing_id = $1 AND (l.purpose = 'click' AND NOT l.personalised OR l.purpose = 'pixel') ORDER BY l.ordinal, r.id`,
    [mailingId],
  );
  const lines = (path: string, purpose: TokenPurpose, wanted: (ordinal: number) => boolean) =>
    rows
      .filter(({ ordinal }) => wanted(ordinal))
      .map(({ id, ordinal }, i) => {
        const [token] = signTokens(keyring, mailingId, id, [{ purpose, ordinal }]);
        return `/${path}/${token} ${USER_AGENTS[i % USER_AGENTS.length]}`;
      });
  return {
    pixel: lines('o', 'pixel', (ordinal) => ordinal === PIXEL_ORDINAL),
    redirect: lines('c', 'click', (ordinal) => ordinal !== PIXEL_ORDINAL),
  };
}

async function nginxRound(
  dir: string,
  nginx: { pid: number; url: string },
  requests: readonly string[],
  seconds: number,
): Promise<Round> {
  using watch = new ProcessWatch({ nginx: nginx.pid });
  const load = await loadWeb(dir, [nginx.url], requests, seconds);
  if (load.errors > 0) throw new Error(`nginx: ${load.errors} errors`);
  return { rate: load.answers / load.seconds, peakRssMb: watch.peakRssMb() };
}

async function startGateway({ house }: Campaign, spool: string): Promise<Gateway> {
  const port = String(await freePort());
  const app = await house.start('tracking-gateway', { env: { GATEWAY_PORT: port, SPOOL_DIR: spool } });
  return { ...app, url: `http://127.0.0.1:${port}` };
}

async function gatewayRound(
  dir: string,
  { db, stack }: Campaign,
  gateways: readonly Gateway[],
  requests: readonly string[],
  seconds: number,
): Promise<Round> {
  using watch = new ProcessWatch({ ...pidsOf(gateways), postgres: stack.postgres.pid });
  const recorded = async () => {
    const { rows } = await db.pool.query<{ count: number }>('SELECT count(*)::int AS count FROM event');
    return rows[0]?.count ?? 0;
  };
  const [before, began] = [await recorded(), watch.cpuSeconds()];
  const load = await loadWeb(
    dir,
    gateways.map(({ url }) => url),
    requests,
    seconds,
  );
  const [atEnd, start] = [(await recorded()) - before, performance.now()];
  for (const gateway of gateways) while ((await waitingBytes(gateway)) > 0) await pause(20);
  const drained = (performance.now() - start) / 1_000;
  const events = (await recorded()) - before;
  // An answer on its way when the load ends is not counted by it; each connection has one at most.
  if (load.errors > 0 || events < load.answers || events > load.answers + CONNECTIONS)
    throw new Error(`${load.answers} answers, ${load.errors} errors, but ${events} events`);
  const cpu = Object.entries(watch.cpuSeconds()).map(
    ([name, used]) => `${name} ${(((used - (began[name] ?? 0)) * 1e6) / events).toFixed(1)}`,
  );
  console.log(`     microseconds of CPU per event: ${cpu.join(', ')}; slowest of 100: ${load.p99Ms.toFixed(1)} ms`);
  console.log(
    `     ${shown((100 * atEnd) / events)} % recorded at the end of the load, the rest in ${drained.toFixed(1)} s`,
  );
  await db.pool.query('CHECKPOINT');
  return { rate: load.answers / load.seconds, peakRssMb: watch.peakRssMb() };
}

export async function waitingBytes(app: AppProcess): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${app.healthPort}/metrics`)).text();
  const [, bytes] = /^postloop_gateway_spool_waiting_bytes (\d+)$/m.exec(text) ?? [];
  if (bytes === undefined) throw new Error('the gateway does not say what waits in its spool');
  return Number(bytes);
}
