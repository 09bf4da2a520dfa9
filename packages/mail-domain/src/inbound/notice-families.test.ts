import { describe, expect, it } from 'vitest';
import { message } from './fixtures/messages.js';
import { classifyInbound, DEFAULT_INBOUND_LIMITS, type InboundVerdict, judgeSmtpReply, parseInbound } from './index.js';

const BO = 'bo@birch.example';

function classify(raw: Buffer): InboundVerdict[] {
  return classifyInbound(parseInbound(raw, DEFAULT_INBOUND_LIMITS));
}

/** The shapes in which mail servers and gateways write their notices; each is one family. */
const NOTICES: readonly [family: string, from: string, subject: string, text: string, reason: string, hard: boolean][] =
  [
    [
      'a store-and-forward server in Java',
      'Mailer <postmaster@birch.example>',
      '[BOUNCE]',
      `Hi. This is the mail server at birch.example.
I was not able to deliver your message to the following addresses.

Message details:
  Sent date: Sat Nov 21 09:00:00 CET 2026
  RCPT TO: ${BO}

Error message below:
550 - Requested action not taken: no such user here
`,
      'userunknown',
      true,
    ],
    [
      'a gateway that writes the session from its own side',
      '"Gateway Notification" <scan@birch.example>',
      'Mail could not be delivered',
      `****** Message from the gateway ******

Sent <<< RCPT TO:<${BO}>
Received >>> 550 5.1.1 <${BO}>... User unknown

Unable to deliver message to <${BO}>.
`,
      'userunknown',
      true,
    ],
    [
      'a filter that lists whom it affected',
      '<filter@birch.example>',
      'Undeliverable Mail: "Autumn"',
      `Your message:
   From:    news@sender.example
   Subject: Autumn
Could not be delivered because of

552 5.2.2 Over quota

The following recipients were affected:
    ${BO}
`,
      'mailboxfull',
      false,
    ],
    [
      'qmail, the sender refused',
      'MAILER-DAEMON@mx.birch.example',
      'failure notice',
      `Hi. This is the qmail-send program at mx.birch.example.

<${BO}>:
Connected to 192.0.2.7 but sender was rejected.
Remote host said: 553 unknown domain
`,
      'rejected',
      false,
    ],
    [
      'qmail, refused after the mail',
      'MAILER-DAEMON@mx.birch.example',
      'failure notice',
      `Hi. This is the qmail-send program at mx.birch.example.

<${BO}>:
192.0.2.7 failed after I sent the message.
Remote host said: 550 User unknown
`,
      'filtered',
      false,
    ],
    [
      'a social network by its own codes',
      'Mailer <mailer-daemon@birch.example>',
      'Sorry, your message could not be delivered',
      `This message was created automatically.

<${BO}>: 550 5.1.1 RCP-P1 https://postmaster.birch.example/response_codes?ip=192.0.2.10#rcp-p1
`,
      'userunknown',
      true,
    ],
  ];

describe('notices in prose', () => {
  it.each(NOTICES)('%s', (_family, from, subject, text, reason, hard) => {
    const verdicts = classify(
      message({ 'Return-Path': '<>', From: from, To: 'b1xyz@return.sender.example', Subject: subject }, text),
    );
    expect(verdicts).toMatchObject([{ recipient: BO, reason, hard }]);
  });
});

describe('what servers say in other languages and words', () => {
  it.each([
    ['550 5.1.1 Utilisateur inconnu !', 'userunknown', true],
    ['550 Empfänger unbekannt', 'userunknown', true],
    ['550 nessun utente simile in questo indirizzo', 'userunknown', true],
    ['550 No existe dicha persona', 'userunknown', true],
    ["553 sorry, that domain or user isn't in my list of allowed rcpthosts (#5.7.1)", 'userunknown', true],
    ['550 5.1.1 inactive email address', 'userunknown', true],
    ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup', 'userunknown', true],
    ['550 5.4.310 DNS domain birch.example does not exist [Message=InfoDomainNonexistent]', 'hostunknown', true],
    ['550 5.7.18 the domain owner has changed', 'hasmoved', true],
    ['554 delivery error: dd bo is no longer valid', 'suspend', false],
    ['550 5.2.1 archived recipient', 'suspend', false],
    ['552 5.2.2 Caixa postal cheia', 'mailboxfull', false],
    ['550 5.2.121 per hour message receive limit from specific sender exceeded', 'ratelimited', false],
    ['553 5.7.2 All messages from 192.0.2.10 will be permanently deferred', 'blocked', false],
    ['554 5.7.1 BATV validation failure', 'rejected', false],
    ['550 refused due to recipient preferences RCP-P2', 'filtered', false],
  ])('%s', (reply, reason, hard) => {
    expect(judgeSmtpReply(reply, 'recipient')).toMatchObject({ reason, hard });
  });
});
