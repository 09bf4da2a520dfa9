import type { ResponseCounts } from '@postloop/db';
import type { House, Stack } from '@postloop/local-stack';
import type { Audit } from './audit.js';
import type { FetchedExport } from './export-step.js';
import type { SentFigures } from './import-step.js';
import type { Deeds } from './simulate.js';

export interface DemoResult extends SentFigures, Audit, Deeds {
  /** As exported; what servers refused included. */
  responses: ResponseCounts;
  exports: FetchedExport['rows'];
  seconds: number;
}

export function printResult(result: DemoResult, { paths }: FetchedExport, json: boolean): void {
  const { imported, mailings, sent, unknown, received, refused, missing, duplicated } = result;
  const { opens, clicks, unsubscribes, complaints, responses, exports, seconds } = result;
  const lines = [
    '',
    `imported      ${imported} rows into ${mailings} mailings`,
    `sent          ${sent} mails, ${refused} refused by their servers, ${unknown} unknown`,
    `mail server   ${received} received, ${missing} missing, ${duplicated} duplicated`,
    `recipients    ${opens} opens, ${clicks} clicks, ${unsubscribes} unsubscribes (${complaints} by complaint)`,
    `bounces       ${responses.fatal_bounce} hard, ${responses.bounce} soft, ${responses.temporary_bounce} temporary`,
    `answers       ${responses.autoresponder} of machines, ${responses.unknown} of people (${complaints} complaints)`,
    `took          ${seconds} s`,
    '',
    'response files on the SFTP server:',
    ...paths.map((path) => `  ${path}`),
    ...Object.entries(exports).map(([kind, rows]) => `  ${kind.padEnd(18)} ${rows} rows`),
    '',
  ];
  process.stdout.write(lines.join('\n'));
  if (!json) return;
  const sending = { imported, mailings, sent, unknown, received, refused, missing, duplicated };
  const told = { ...sending, opens, clicks, unsubscribes, complaints, responses, exports, seconds };
  process.stdout.write(`\n${JSON.stringify(told)}\n`);
}

/** Where everything that runs can be looked at. */
export function addresses(stack: Stack, house: House, dir: string): string {
  const { SFTP_PORT, SFTP_USERNAME, SFTP_PASSWORD, SFTP_HOST_KEY } = stack.env;
  return [
    '',
    'Everything stays up until Ctrl-C:',
    `  tracking gateway  ${house.publicUrl}`,
    `  PostgreSQL        ${stack.databaseUrl}`,
    `  queue             ${stack.redis?.url ?? 'in PostgreSQL'}`,
    `  SFTP              sftp -P ${SFTP_PORT} ${SFTP_USERNAME}@127.0.0.1   password ${SFTP_PASSWORD}   host key ${SFTP_HOST_KEY}`,
    `                    upload to example-shop/import/ and wait for the next poll (every 10 minutes)`,
    `  SMTP inbox        ${stack.inbox.url}`,
    `  logs, spool       ${dir}`,
    '',
  ].join('\n');
}
