import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isAligned } from './aligned-domain.js';
import { createDkimKey, type DkimAlgorithm } from './dkim-key.js';
import { createDkimSigner } from './dkim-signer.js';
import { splitMessage } from './header-fields.js';

const pemOf = (algorithm: DkimAlgorithm, bits = 2048): string => {
  const { privateKey } =
    algorithm === 'rsa-sha256' ? generateKeyPairSync('rsa', { modulusLength: bits }) : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
};

const rsa = createDkimKey({
  domain: 'Shop.Example',
  selector: 'R1',
  algorithm: 'rsa-sha256',
  pem: pemOf('rsa-sha256'),
});
const ed = createDkimKey({
  domain: 'shop.example',
  selector: 'e1',
  algorithm: 'ed25519-sha256',
  pem: pemOf('ed25519-sha256'),
});
const DATE = new Date('2026-11-21T07:05:09.900Z');

const message = Buffer.from(
  [
    'Date: Sat, 21 Nov 2026 07:05:09 +0000',
    'From: Shop <news@shop.example>',
    'To: ann@example.org',
    'Subject: Hello',
    'List-Unsubscribe: <https://t.example/u/x>,',
    ' <mailto:b@t.example?subject=unsubscribe>',
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    'X-Other: not signed',
    '',
    'Hello',
    '',
  ].join('\r\n'),
);

const tags = (raw: string): Record<string, string> =>
  Object.fromEntries(
    raw
      .slice(raw.indexOf(':') + 1)
      .split(';')
      .map((tag) => [tag.slice(0, tag.indexOf('=')).trim(), tag.slice(tag.indexOf('=') + 1).replace(/\s/g, '')]),
  );

describe('a signed message', () => {
  it('has one signature per key in front', async () => {
    const before = await createDkimSigner([ed, rsa])(message, DATE);
    const [first, second, third] = splitMessage(Buffer.concat([before, message])).fields;
    expect([first?.name, second?.name, third?.name]).toEqual(['dkim-signature', 'dkim-signature', 'date']);
    expect(tags(first?.raw ?? '')).toMatchObject({
      v: '1',
      a: 'ed25519-sha256',
      d: 'shop.example',
      s: 'e1',
      t: '1795244709',
    });
    expect(tags(second?.raw ?? '')).toMatchObject({
      a: 'rsa-sha256',
      d: 'shop.example',
      s: 'r1',
      c: 'relaxed/simple',
    });
    for (const line of before.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
  });

  it('signs both unsubscribe headers, and names once more what nobody may add', async () => {
    const [field] = splitMessage(await createDkimSigner([ed])(message, DATE)).fields;
    expect(tags(field?.raw ?? '').h).toBe(
      'from:from:subject:subject:date:to:to:list-unsubscribe:list-unsubscribe:list-unsubscribe-post:list-unsubscribe-post',
    );
  });

  it('needs a From', async () => {
    await expect(createDkimSigner([ed])(Buffer.from('To: a@b.example\r\n\r\n'), DATE)).rejects.toThrow('without From');
  });

  it('without keys has nothing in front', async () => {
    expect(await createDkimSigner([])(message, DATE)).toHaveLength(0);
  });
});

it.each([
  [{ pem: 'x' }, 'no PEM'],
  [{ algorithm: 'ed25519-sha256' as const }, 'the key is of type rsa, which ed25519-sha256 does not use'],
  [{ domain: 'shop' }, '"shop" is no domain'],
  [{ selector: 'a;b' }, '"a;b" is no selector'],
  [{ pem: pemOf('rsa-sha256', 512) }, '512 bits'],
])('a key that cannot sign is refused: %#', (change, why) => {
  const good = { domain: 'shop.example', selector: 's', algorithm: 'rsa-sha256' as const };
  const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  expect(() => createDkimKey({ ...good, pem, ...change })).toThrow(why);
});

it.each([
  ['shop.example', 'shop.example', true],
  ['mail.shop.example', 'SHOP.example', true],
  ['mail.shop.example', 'news.shop.example', true],
  ['mail.shop.co.uk', 'news.shop.co.uk', true],
  ['shop.co.uk', 'other.co.uk', false],
  ['shop.example', 'other.example', false],
  ['myshop.example', 'shop.example', false],
])('%s and %s are aligned: %s', (one, other, aligned) => {
  expect(isAligned(one, other)).toBe(aligned);
});
