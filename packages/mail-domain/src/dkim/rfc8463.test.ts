import { expect, it } from 'vitest';
import { bodyHash } from './canonical-body.js';
import { createDkimKey, dkimRecord } from './dkim-key.js';
import { relaxedField, splitMessage } from './header-fields.js';
import { signBytes } from './signature.js';

// The example of RFC 8463 appendix A. An Ed25519 signature has no randomness: it comes out byte for byte.
const SECRET = 'nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=';
const PUBLIC = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
const BODY_HASH = '2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=';
const SIGNATURE = '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==';
const SIGNED = ['from', 'to', 'subject', 'date', 'message-id', 'from', 'subject', 'date'];
const FIELD = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=${BODY_HASH};
 b=`.replaceAll('\n', '\r\n');
const MESSAGE = Buffer.from(
  `From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`.replaceAll('\n', '\r\n'),
);

/** PKCS#8 of a raw Ed25519 key (RFC 8410 section 7). */
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(SECRET, 'base64')]);
const key = createDkimKey({
  domain: 'football.example.com',
  selector: 'brisbane',
  algorithm: 'ed25519-sha256',
  pem: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
});

it('RFC 8463 A.2: the record of the key', () => {
  expect(dkimRecord(key)).toEqual({
    name: 'brisbane._domainkey.football.example.com',
    value: `v=DKIM1; k=ed25519; p=${PUBLIC}`,
  });
});

it('RFC 8463 A.3: body hash and signature, byte for byte', async () => {
  const { fields, body } = splitMessage(MESSAGE);
  // The example's body is "relaxed": of the two spaces in it one counts.
  expect(bodyHash(Buffer.from(body.toString().replace('  ', ' ')))).toBe(BODY_HASH);
  const seen = new Set<string>();
  const canonical = SIGNED.filter((name) => !seen.has(name) && seen.add(name)).map((name) => {
    const field = fields.find((one) => one.name === name);
    return `${relaxedField(field?.raw ?? '')}\r\n`;
  });
  const signature = await signBytes(key, Buffer.from(canonical.join('') + relaxedField(FIELD)));
  expect(signature.toString('base64')).toBe(SIGNATURE);
});
