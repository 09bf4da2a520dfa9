import type { House, Stack } from '@postloop/local-stack';
import type { Audit } from './audit.js';
import type { FetchedExport } from './export-step.js';
import type { SentFigures } from './import-step.js';
import type { Deeds } from './simulate.js';

export interface DemoResult extends SentFigures, Audit, Deeds {
  exports: FetchedExport['rows'];
  seconds: number;
}

export function printResult(result: DemoResult, { paths }: FetchedExport, json: boolean): void {
  const {
    imported,
    mailings,
    sent,
    unknown,
    received,
    missing,
    duplicated,
    opens,
    clicks,
    unsubscribes,
    exports,
    seconds,
  } = result;
  const lines = [
    '',
    `imported      ${imported} rows into ${mailings} mailings`,
    `sent          ${sent} mails, ${unknown} unknown`,
    `mail server   ${received} received, ${missing} missing, ${duplicated} duplicated`,
    `recipients    ${opens} opens, ${clicks} clicks, ${unsubscribes} unsubscribes`,
    `took          ${seconds} s`,
    '',
    'response files on the SFTP server:',
    ...paths.map((path) => `  ${path}`),
    ...Object.entries(exports).map(([kind, rows]) => `  ${kind.padEnd(18)} ${rows} rows`),
    '',
  ];
  process.stdout.write(lines.join('\n'));
  if (json)
    process.stdout.write(
      `\n${JSON.stringify({ imported, mailings, sent, unknown, received, missing, duplicated, opens, clicks, unsubscribes, exports, seconds })}\n`,
    );
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
