import { describe, expect, it } from 'vitest';
import { judgeSmtpReply } from './index.js';
import { foldText, matchesPhrase } from './phrase.js';
import { PHRASE_RULES } from './rules/reason-rules.js';
import { findServerCodes } from './status-codes.js';

describe('judgeSmtpReply', () => {
  it.each([
    ['550 5.1.1 <bo@birch.example>: User unknown', 'recipient', 'fatal_bounce', 'userunknown'],
    [
      '550-5.1.1 The email account that you tried to reach does\r\n550 5.1.1 not exist.',
      'recipient',
      'fatal_bounce',
      'userunknown',
    ],
    ['550 No such user', 'recipient', 'fatal_bounce', 'userunknown'],
    ['550 No such user', 'data', 'bounce', 'filtered'],
    ['550 5.1.8 domain of sender address does not exist', 'sender', 'bounce', 'rejected'],
    ['450 4.2.0 Greylisted', 'recipient', 'temporary_bounce', 'greylisted'],
    ['452 Mailbox full', 'recipient', 'temporary_bounce', 'mailboxfull'],
    ['552 Mailbox full', 'recipient', 'bounce', 'mailboxfull'],
    ['554 5.7.1 blocked using list.example', 'sender', 'bounce', 'blocked'],
    ['554', 'data', 'bounce', 'undefined'],
  ] as const)('%s at %s', (reply, stage, category, reason) => {
    expect(judgeSmtpReply(reply, stage)).toMatchObject({ category, reason, hard: category === 'fatal_bounce' });
  });
});

describe('findServerCodes', () => {
  it.each([
    ['550 5.1.1 no', '5.1.1', '550'],
    ['host mx.example[192.0.2.5] said: 452-4.2.2 full', '4.2.2', '452'],
    ['full (#5.2.2)', '5.2.2', null],
    ['connect to 192.5.1.1: refused', null, null],
    ['Sendmail v5.61.2 says hello 550 times', null, null],
    ['220 ready\n250 2.0.0 Ok\n554 5.0.0 no\n550 5.1.2 bad', '5.1.2', '554'],
  ])('%s', (text, statusCode, smtpReply) => {
    expect(findServerCodes(text)).toEqual({ statusCode, smtpReply });
  });
});

describe('phrases', () => {
  it('match across a gap, not across a page', () => {
    expect(matchesPhrase('your mailbox is quite full', 'mailbox * full')).toBe(true);
    expect(matchesPhrase(`mailbox ${'x'.repeat(100)} full`, 'mailbox * full')).toBe(false);
    expect(matchesPhrase(`mailbox ${'x'.repeat(100)} mailbox very full`, 'mailbox * full')).toBe(true);
    expect(matchesPhrase('full mailbox', 'mailbox * full')).toBe(false);
  });

  it('are written as texts are folded', () => {
    const phrases = PHRASE_RULES.flatMap((rule) => [...rule.phrases, ...(rule.unless ?? [])]);
    for (const phrase of phrases) expect(foldText(`x${phrase}x`)).toBe(`x${phrase}x`);
  });

  it('stand in rules of different names', () => {
    const names = PHRASE_RULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
