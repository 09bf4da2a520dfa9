import { describe, expect, it } from 'vitest';
import { answer, arf, type DsnRecipient, dsn, message, multipart, prose, RETURNED } from './fixtures/messages.js';
import { classifyInbound, DEFAULT_INBOUND_LIMITS, type InboundVerdict, parseInbound } from './index.js';

const BO = 'bo@birch.example';

function classify(raw: Buffer): InboundVerdict[] {
  return classifyInbound(parseInbound(raw, DEFAULT_INBOUND_LIMITS));
}

function first(raw: Buffer): InboundVerdict | undefined {
  return classify(raw)[0];
}

describe('delivery status notifications', () => {
  it.each<[string, string, string, string, boolean]>([
    [
      '5.1.1',
      '550 5.1.1 <bo@birch.example>: Recipient address rejected: User unknown',
      'userunknown',
      'fatal_bounce',
      true,
    ],
    ['5.1.2', '550 5.1.2 Bad destination system address', 'hostunknown', 'fatal_bounce', true],
    [
      '5.4.4',
      'Host or domain name not found. Name service error for name=birch.example',
      'hostunknown',
      'fatal_bounce',
      true,
    ],
    ['5.1.6', '551 5.1.6 bo has moved to bo@elm.example', 'hasmoved', 'fatal_bounce', true],
    ['5.1.10', '556 5.1.10 Recipient address has null MX', 'notaccept', 'fatal_bounce', true],
    ['5.2.2', '552 5.2.2 The mailbox is over quota', 'mailboxfull', 'bounce', false],
    // A full mailbox that a server reports under the code of an unknown one.
    ['5.1.1', '550 5.1.1 Mailbox full', 'mailboxfull', 'bounce', false],
    ['4.2.2', '452 4.2.2 Mailbox full', 'mailboxfull', 'temporary_bounce', false],
    [
      '5.7.1',
      '554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using list.example',
      'blocked',
      'bounce',
      false,
    ],
    ['5.7.1', '550 5.7.1 This message is likely spam', 'spamdetected', 'bounce', false],
    [
      '5.7.26',
      '550 5.7.26 Unauthenticated email is not accepted due to the DMARC policy',
      'authfailure',
      'bounce',
      false,
    ],
    ['5.7.25', '550 5.7.25 The IP address has no PTR record', 'requireptr', 'bounce', false],
    ['5.3.4', '552 5.3.4 Message size exceeds fixed limit', 'mesgtoobig', 'bounce', false],
    ['4.7.0', '421 4.7.0 Too many connections from your host', 'ratelimited', 'temporary_bounce', false],
    ['4.2.0', '450 4.2.0 Greylisted, please try again later', 'greylisted', 'temporary_bounce', false],
    ['5.7.1', '554 5.7.1 Relay access denied', 'norelaying', 'bounce', false],
    ['5.2.1', '550 5.2.1 The account is disabled', 'suspend', 'bounce', false],
    // Not yet permanent, whatever the words: the address could not be verified.
    [
      '4.1.1',
      '450 4.1.1 <bo@birch.example>: Recipient address rejected: unverified address: user unknown',
      'userunknown',
      'temporary_bounce',
      false,
    ],
    ['5.0.0', '500 whatever', 'syntaxerror', 'bounce', false],
  ])('%s %s is %s', (status, diagnostic, reason, category, hard) => {
    expect(first(dsn([{ recipient: BO, status, diagnostic }]))).toMatchObject({
      kind: 'dsn',
      recipient: BO,
      statusCode: status,
      reason,
      category,
      hard,
    });
  });

  it('gives one verdict per recipient, each on its own words', () => {
    const recipients: DsnRecipient[] = [
      { recipient: BO, status: '5.1.1', diagnostic: '550 5.1.1 No such user' },
      { recipient: 'cy@birch.example', status: '5.2.2', diagnostic: '552 5.2.2 Mailbox full' },
      { recipient: 'di@birch.example', status: '4.4.1', diagnostic: 'Connection timed out', action: 'delayed' },
      { recipient: 'ed@birch.example', status: '2.0.0', diagnostic: '250 2.0.0 Ok', action: 'delivered' },
    ];
    expect(
      classify(dsn(recipients)).map(({ recipient, category, kind, hard }) => [recipient, category, kind, hard]),
    ).toEqual([
      [BO, 'fatal_bounce', 'dsn', true],
      ['cy@birch.example', 'bounce', 'dsn', false],
      ['di@birch.example', 'unknown', 'delayed', false],
      ['ed@birch.example', 'unknown', 'dsn', false],
    ]);
  });

  it('names the mail that came back', () => {
    expect(first(dsn([{ recipient: BO, status: '5.1.1' }]))?.originalMessageId).toBe('m1234.abcd@sender.example');
  });

  it('takes the address that was written to before the one that it was forwarded to', () => {
    const report = dsn([{ recipient: 'far@away.example', status: '5.1.1' }]).toString();
    const forwarded = report.replace(
      'Final-Recipient',
      'Original-Recipient: rfc822;bo+2Btag@birch.example\r\nFinal-Recipient',
    );
    expect(first(Buffer.from(forwarded))?.recipient).toBe('bo+tag@birch.example');
  });

  it('reads recipients that no empty line parts', () => {
    const report = dsn([
      { recipient: BO, status: '5.2.2' },
      { recipient: 'cy@birch.example', status: '5.1.1' },
    ]).toString();
    const joined = report.replace('\r\n\r\nFinal-Recipient: rfc822; cy', '\r\nFinal-Recipient: rfc822; cy');
    expect(classify(Buffer.from(joined)).map(({ hard }) => hard)).toEqual([false, true]);
  });

  it('asks for more than a terse "user unknown" behind DATA or without an address code', () => {
    const told = (notice: string): InboundVerdict | undefined =>
      first(dsn([{ recipient: BO, status: '5.0.0', diagnostic: '550 Unknown user' }], notice));
    expect(told('<bo@birch.example>: host mx said: 550 Unknown user (in reply to end of DATA command)')?.hard).toBe(
      false,
    );
    expect(told('<bo@birch.example>: host mx said: 550 Unknown user (in reply to RCPT TO command)')?.hard).toBe(true);
    expect(told('It failed.')?.hard).toBe(false);
  });

  it("does not hold the sender's unknown domain against the recipient", () => {
    const notice = 'bo@birch.example: error after MAIL FROM:<news@sender.example>: 550 domain does not exist';
    expect(
      first(dsn([{ recipient: BO, status: '5.0.0', diagnostic: '550 domain does not exist' }], notice)),
    ).toMatchObject({
      reason: 'rejected',
      hard: false,
    });
  });

  it('reads a report that a gateway flattened into text, and one that is wrapped up in another mail', () => {
    const flat = message(
      { From: 'postmaster@gate.example', Subject: 'Delivery failed' },
      'Final-Recipient: rfc822; bo@birch.example\nAction: failed\nStatus: 5.1.1\n',
    );
    expect(first(flat)).toMatchObject({ kind: 'dsn', recipient: BO, hard: true });
    const wrapped = multipart({ From: 'postmaster@gate.example', Subject: 'Notice' }, 'multipart/mixed', [
      'Content-Type: text/plain\n\nA notice from the gate.',
      `Content-Type: message/rfc822\n\n${dsn([{ recipient: BO, status: '5.1.1' }])
        .toString()
        .replaceAll('parting-of-the-ways', 'inner')}`,
    ]);
    expect(first(wrapped)).toMatchObject({ kind: 'dsn', recipient: BO, hard: true });
  });

  it('keeps what the server said printable, on one line and short', () => {
    const diagnostic = `550 5.7.1 no\u0007\u202e thank you ${'x'.repeat(900)}`;
    const said = first(dsn([{ recipient: BO, status: '5.7.1', diagnostic }]))?.diagnostic ?? '';
    expect(said).toMatch(/^550 5\.7\.1 no thank you x+…$/);
    expect(said).toHaveLength(500);
  });
});

describe('bounces in prose', () => {
  it.each<[string, string, string, boolean]>([
    [
      'qmail',
      '<bo@birch.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 no such user',
      'userunknown',
      true,
    ],
    ['qmail, full', '<bo@birch.example>:\nThe mailbox is full. (#5.2.2)', 'mailboxfull', false],
    ['exim', 'A message could not be delivered.\n\n  bo@birch.example\n    Unrouteable address', 'userunknown', true],
    [
      'sendmail',
      '   ----- The following addresses had permanent fatal errors -----\n<bo@birch.example>\n\n   ----- Transcript of session follows -----\n>>> RCPT To:<bo@birch.example>\n<<< 550 5.1.1 Unknown recipient\n',
      'userunknown',
      true,
    ],
    ['a carrier', 'bo@birch.example\n\n>>> DATA\n<<< 550 Unknown user bo@birch.example', 'filtered', false],
    [
      'a size limit',
      'The following address failed:\n\nbo@birch.example\n\nMail size limit exceeded.',
      'mesgtoobig',
      false,
    ],
  ])('%s', (_server, notice, reason, hard) => {
    expect(classify(prose(notice))).toMatchObject([
      { kind: 'free_text', recipient: BO, reason, hard, originalMessageId: 'm1234.abcd@sender.example' },
    ]);
  });

  it('tells several recipients apart', () => {
    const notice =
      '<bo@birch.example>:\nRemote host said: 550 5.1.1 no such user\n\n<cy@birch.example>:\nRemote host said: 552 5.2.2 over quota\n';
    expect(
      classify(prose(notice)).map(({ recipient, statusCode, smtpReply, hard }) => [
        recipient,
        statusCode,
        smtpReply,
        hard,
      ]),
    ).toEqual([
      [BO, '5.1.1', '550', true],
      ['cy@birch.example', '5.2.2', '552', false],
    ]);
  });

  it('takes the recipient from the header, or from the mail that came back', () => {
    expect(first(prose('It did not work.', { 'X-Failed-Recipients': 'cy@birch.example' }))?.recipient).toBe(
      'cy@birch.example',
    );
    expect(first(prose('It did not work.'))?.recipient).toBe(BO);
  });

  it('does not take a warning for a bounce', () => {
    const warning =
      'bo@birch.example\nDelay reason: 450 4.2.0 try later\nNo action is required on your part. We will keep trying.';
    expect(first(prose(warning, { Subject: 'Warning: message delayed' }))).toMatchObject({
      kind: 'delayed',
      category: 'unknown',
      hard: false,
    });
  });
});

describe('feedback reports', () => {
  it('are complaints, one per recipient', () => {
    const report = arf(
      'Feedback-Type: abuse\nOriginal-Rcpt-To: <bo@birch.example>\nOriginal-Rcpt-To: <cy@birch.example>',
    );
    expect(classify(report)).toMatchObject([
      {
        kind: 'arf',
        feedbackType: 'abuse',
        category: 'unknown',
        recipient: BO,
        originalMessageId: 'm1234.abcd@sender.example',
      },
      { kind: 'arf', feedbackType: 'abuse', recipient: 'cy@birch.example' },
    ]);
  });

  it('without a recipient speak of the one that the mail went to', () => {
    expect(classify(arf('Feedback-Type: auth-failure'))).toMatchObject([
      { feedbackType: 'auth-failure', recipient: BO },
    ]);
  });

  it('come from mail clients as well, as a wish to unsubscribe', () => {
    const wish = answer({ Subject: 'unsubscribe', 'Auto-Submitted': 'auto-replied', 'X-Apple-Unsubscribe': 'true' });
    expect(first(wish)).toMatchObject({ kind: 'arf', feedbackType: 'opt-out', recipient: BO });
  });

  it('come as notifications of Amazon SES', () => {
    const inner = JSON.stringify({
      notificationType: 'Bounce',
      bounce: {
        bouncedRecipients: [
          { emailAddress: BO, action: 'failed', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 unknown' },
        ],
      },
    });
    const notification = message(
      { From: 'no-reply@sns.example', Subject: 'Notification' },
      JSON.stringify({ Message: inner }),
    );
    expect(first(notification)).toMatchObject({ kind: 'dsn', recipient: BO, statusCode: '5.1.1', hard: true });
  });
});

describe('answers', () => {
  it.each<[string, Record<string, string>]>([
    ['RFC 3834', { 'Auto-Submitted': 'auto-replied (vacation)' }],
    ['an old header', { 'X-Autoreply': 'yes' }],
    ['Precedence', { Precedence: 'auto_reply' }],
    ['an English subject', { Subject: 'Automatic reply: Autumn' }],
    ['a German subject', { Subject: '=?utf-8?Q?Abwesenheitsnotiz=3A_B=C3=BCro?=' }],
    ['a French subject', { Subject: 'Réponse automatique : Autumn' }],
  ])('of robots: %s', (_how, header) => {
    expect(classify(answer(header))).toMatchObject([
      { kind: 'auto_reply', category: 'autoresponder', recipient: BO, originalMessageId: 'm1234.abcd@sender.example' },
    ]);
  });

  it('of people are no bounce, even when they speak of one', () => {
    const quoting = answer(
      { Subject: 'Re: failure notice' },
      'I am a person.\n\n> could not be delivered: mailbox full\n',
    );
    expect(classify(answer({}))).toMatchObject([{ kind: 'reply', category: 'unknown', recipient: BO, hard: false }]);
    expect(first(quoting)).toMatchObject({ kind: 'reply', category: 'unknown' });
  });

  it('that say "Auto-Submitted: no" are by people', () => {
    expect(first(answer({ 'Auto-Submitted': 'no' }))?.kind).toBe('reply');
  });
});

it("an empty message is somebody's answer", () => {
  expect(classify(Buffer.alloc(0))).toMatchObject([{ kind: 'reply', recipient: null }]);
  expect(classify(Buffer.from(RETURNED))).toHaveLength(1);
});
