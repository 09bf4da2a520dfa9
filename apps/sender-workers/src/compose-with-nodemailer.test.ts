import { findProgram } from '@postloop/local-stack';
import { ByteWriter } from '@postloop/mail-domain';
import { expect, it } from 'vitest';
import { composedByNodemailer } from './compose-with-nodemailer.js';
import { DATE, data, randomMails } from './testing/random-mails.js';
import { readMails } from './testing/read-mails.js';

// The mails that our segments make and the ones that nodemailer makes of the same values, read by a third party.

/** It follows DATA as it is. nodemailer does not break a long name in From. */
function expectReadyForTheWire(mail: Buffer): void {
  const lines = mail
    .toString('latin1')
    .replace(/^From:.*\r\n(?: .*\r\n)*/m, '')
    .split('\r\n');
  expect(lines.at(-1)).toBe('');
  for (const line of lines) expect(line).toMatch(/^(?!\.)[\t\x20-\x7e]{0,998}$/);
}

it('mails of our own encoding are read as those of nodemailer are, header by header and byte by byte', async (context) => {
  if (!findProgram(['python3'])) return context.skip('python3 is not installed');
  const mails = randomMails(300);
  const made: { ours: Buffer; theirs: Buffer }[] = [];
  for (const { renderer, recipient } of mails) {
    const ours = renderer.render(recipient, DATE, data, new ByteWriter());
    const theirs = await composedByNodemailer(renderer).render(recipient, DATE, data, new ByteWriter());
    expect({ ...theirs, data: '' }).toEqual({ ...ours, data: '' });
    expectReadyForTheWire(theirs.data);
    made.push({ ours: ours.data, theirs: theirs.data });
  }
  // nodemailer leaves an empty Subject out.
  const read = (all: Buffer[]) =>
    readMails(all).map(({ headers, ...rest }) => ({ ...rest, headers: { subject: '', ...headers } }));
  const [ours, theirs] = [read(made.map(({ ours }) => ours)), read(made.map(({ theirs }) => theirs))];
  expect(ours).toHaveLength(mails.length);
  for (const [i, mail] of ours.entries()) {
    expect(mail.defects).toEqual([]);
    expect(mail, JSON.stringify(mails[i]?.value)).toEqual(theirs[i]);
  }
});
