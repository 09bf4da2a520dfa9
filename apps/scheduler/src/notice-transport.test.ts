import { startSmtpInbox, temporaryDirectory } from '@postloop/local-stack';
import { parseConfig } from '@postloop/service-kit';
import { expect, it } from 'vitest';
import { configSchema } from './config.js';
import { createNoticeTransport, noticeServer } from './notice-transport.js';

const serverOf = (env: Record<string, string>) =>
  noticeServer(
    parseConfig(configSchema, {
      DATABASE_URL: 'postgres://localhost/x',
      SFTP_HOST: 'localhost',
      SFTP_USERNAME: 'x',
      SFTP_HOST_KEY: 'x',
      SMTP_URL: 'smtp://mail.shop.example',
      NOTICE_FROM: 'postloop@shop.example',
      ...env,
    }),
  );

it('the server is that of the mailings, with its TLS, unless there is one of its own', () => {
  const mailings = { SMTP_URL: 'smtps://u:p@out.shop.example', SMTP_TLS_SERVERNAME: 'cert.shop.example' };
  expect(serverOf(mailings)).toMatchObject({
    host: 'out.shop.example',
    port: 465,
    secure: true,
    tls: { servername: 'cert.shop.example' },
  });
  const own = serverOf({ ...mailings, NOTICE_SMTP_URL: 'smtp://in.shop.example:2525' });
  expect(own.tls).toEqual({});
  expect(own).toMatchObject({
    host: 'in.shop.example',
    port: 2525,
    secure: false,
    requireTls: false,
    login: undefined,
  });
});

it('nothing goes to a server that is logged in to and offers no TLS; the password is not in the reason', async () => {
  await using directory = await temporaryDirectory();
  await using inbox = await startSmtpInbox({ dir: directory.path });
  const url = `smtp://ops:geheim@127.0.0.1:${inbox.port}`;
  const notice = { messageId: '<1@x>', to: ['a@x.example'], subject: 's', text: 't' };
  const outcome = await createNoticeTransport(serverOf({ NOTICE_SMTP_URL: url }), 'p@x.example')(notice);
  expect(outcome).toMatchObject({ accepted: [], deferred: ['a@x.example'], away: true });
  expect(outcome.reason).not.toContain('geheim');
  expect(inbox.counts.dots).toBe(0);
});
