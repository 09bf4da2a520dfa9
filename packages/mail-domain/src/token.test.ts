import { createCipheriv, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createKeyring,
  messageIdLocalPart,
  openTarget,
  returnPathLocalPart,
  sealTarget,
  signTokens,
  type TokenPurpose,
  verifyToken,
} from './index.js';
import { TOKEN_PURPOSES } from './token-text.js';

const secret = (byte: number) => Buffer.alloc(32, byte);
const keyring = createKeyring({ keys: [{ id: 3, secret: secret(1) }], current: 3 });
const MAX_ID = 2n ** 63n - 1n;
const purposes = Object.keys(TOKEN_PURPOSES) as TokenPurpose[];
const inAddresses: readonly TokenPurpose[] = ['returnPath', 'messageId'];

const id = fc.oneof(fc.bigInt(1n, MAX_ID), fc.bigInt(1n, 100_000n), fc.bigInt(2n ** 53n, 2n ** 53n + 1000n));
const ordinal = fc.oneof(fc.nat(999), fc.nat(0xffffffff));
const purpose = fc.constantFrom(...purposes);
const sign = (p: TokenPurpose, mailing: bigint, recipient: bigint, n: number): string =>
  signTokens(keyring, mailing, recipient, [{ purpose: p, ordinal: n }]).join('');

describe('a signed token', () => {
  it('says what was signed, for its own purpose only', () => {
    fc.assert(
      fc.property(id, id, fc.array(fc.record({ purpose, ordinal }), { maxLength: 14 }), (mailing, recipient, asked) => {
        const texts = signTokens(keyring, mailing, recipient, asked);
        expect(texts).toHaveLength(asked.length);
        asked.forEach((request, i) => {
          const text = texts[i] ?? '';
          const content = { mailingId: mailing, recipientId: recipient, ordinal: request.ordinal };
          for (const other of purposes)
            expect(verifyToken(keyring, other, text)).toEqual(other === request.purpose ? content : null);
        });
      }),
    );
  });

  it('is refused with any other character in any place', () => {
    fc.assert(
      fc.property(
        purpose,
        id,
        id,
        ordinal,
        fc.nat(),
        fc.constantFrom(...'AZaz09-_b7=.'),
        (p, m, r, n, at, character) => {
          const text = sign(p, m, r, n);
          const place = at % text.length;
          const changed = text.slice(0, place) + character + text.slice(place + 1);
          const same = inAddresses.includes(p) ? changed.toLowerCase() === text : changed === text;
          fc.pre(!same);
          expect(verifyToken(keyring, p, changed)).toBeNull();
        },
      ),
    );
  });

  it('is refused with any bit flipped, cut short, or with something behind it', () => {
    const bytes = Buffer.from(sign('click', 7n, MAX_ID, 3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyToken(keyring, 'click', changed.toString('base64url'))).toBeNull();
    }
    for (let length = 0; length < bytes.length; length += 1)
      expect(verifyToken(keyring, 'click', bytes.subarray(0, length).toString('base64url'))).toBeNull();
    expect(verifyToken(keyring, 'click', Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64url'))).toBeNull();
  });

  it('is refused in another writing of the same bytes', () => {
    const text = sign('click', 5n, 6n, 3);
    expect(verifyToken(keyring, 'click', text)).not.toBeNull();
    for (const other of [
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      text.replaceAll('-', '+').replaceAll('_', '/').concat('='),
      `${text}A`,
    ])
      expect(verifyToken(keyring, 'click', other)).toBeNull();
    // The last character of 27 bytes in base32 has four bits that say nothing.
    const local = returnPathLocalPart(keyring, 1_000n, 2_000n);
    const alike = [...'abcdefghijklmnopqrstuvwxyz234567'].filter((last) =>
      verifyToken(keyring, 'returnPath', local.slice(0, -1) + last),
    );
    expect(alike).toHaveLength(1);
    // Mailing 5 as a two-byte varint, with the tag of mailing 5.
    const bytes = Buffer.from(text, 'base64url');
    const padded = Buffer.concat([bytes.subarray(0, 2), Buffer.from([0x85, 0]), bytes.subarray(3)]);
    expect(verifyToken(keyring, 'click', padded.toString('base64url'))).toBeNull();
  });

  it('never throws at junk, however long', () => {
    fc.assert(
      fc.property(purpose, fc.oneof(fc.string({ unit: 'binary' }), fc.base64String()), (p, text) => {
        expect(verifyToken(keyring, p, text)).toBeNull();
      }),
    );
    expect(verifyToken(keyring, 'click', 'A'.repeat(10_000_000))).toBeNull();
  });

  it('carries the CBC-MAC that AES-256-CBC of the platform computes', () => {
    const key = Buffer.from(hkdfSync('sha256', secret(1), '', 'postloop token mac 1', 32));
    const message = Buffer.alloc(32);
    message.writeBigUInt64BE(99n, 0);
    message.writeBigUInt64BE(2n ** 60n, 8);
    message.set([0x12, 3], 16);
    message.writeUInt32BE(12, 18);
    const cipher = createCipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false);
    const tag = cipher.update(message).subarray(16);
    expect(Buffer.from(sign('click', 99n, 2n ** 60n, 12), 'base64url').subarray(-16)).toEqual(tag);
  });

  it('never changes: mails that were sent carry these', () => {
    expect([
      sign('pixel', 1_000n, 2_000n, 1),
      sign('click', 2n ** 53n + 1n, MAX_ID, 999),
      returnPathLocalPart(keyring, 1_000n, 2_000n),
      messageIdLocalPart(keyring, 1_000n, 2_000n),
    ]).toMatchInlineSnapshot(`
      [
        "EQPoB9APAd21WAz8r3OpkS-kSE4SEuM",
        "EgOBgICAgICAEP__________f-cH5bptbDt9re2H0BuKkmeCnA",
        "bcub6qb6qb4ajcrn4nm6b2kmbnmya",
        "mcyb6qb6qb4ap3krp3bjfdbhxmxfq",
      ]
    `);
  });

  it('fits an address with the largest IDs, and survives a change of case', () => {
    const local = returnPathLocalPart(keyring, MAX_ID, MAX_ID);
    expect(local).toMatch(/^b[a-z2-7]{1,63}$/);
    expect(verifyToken(keyring, 'returnPath', local.toUpperCase())).toEqual({
      mailingId: MAX_ID,
      recipientId: MAX_ID,
      ordinal: 0,
    });
    expect(messageIdLocalPart(keyring, 1n, 1n)).toMatch(/^m[a-z2-7]{1,63}$/);
  });

  it('is not made for IDs that are none', () => {
    for (const bad of [0n, -1n, 2n ** 63n]) {
      expect(() => sign('click', bad, 1n, 1)).toThrow(RangeError);
      expect(() => sign('click', 1n, bad, 1)).toThrow(RangeError);
    }
    expect(() => sign('click', 1n, 1n, 2 ** 32)).toThrow(RangeError);
  });
});

describe('a keyring', () => {
  it('verifies with old keys and signs with the current one', () => {
    const next = createKeyring({
      keys: [
        { id: 3, secret: secret(1) },
        { id: 4, secret: secret(2) },
      ],
      current: 4,
    });
    const old = sign('click', 5n, 6n, 3);
    expect(verifyToken(next, 'click', old)).toEqual({ mailingId: 5n, recipientId: 6n, ordinal: 3 });
    const [fresh = ''] = signTokens(next, 5n, 6n, [{ purpose: 'click', ordinal: 3 }]);
    expect(verifyToken(next, 'click', fresh)).not.toBeNull();
    expect(verifyToken(keyring, 'click', fresh)).toBeNull();
    const other = createKeyring({ keys: [{ id: 3, secret: secret(9) }], current: 3 });
    expect(verifyToken(other, 'click', old)).toBeNull();
  });

  it('refuses weak, double and missing keys', () => {
    expect(() => createKeyring({ keys: [{ id: 0, secret: Buffer.alloc(31) }], current: 0 })).toThrow('31 bytes');
    expect(() => createKeyring({ keys: [{ id: 256, secret: secret(1) }], current: 256 })).toThrow('0..255');
    expect(() => createKeyring({ keys: [{ id: 1, secret: secret(1) }], current: 2 })).toThrow('not among');
    const twice = [1, 1].map((key) => ({ id: key, secret: secret(1) }));
    expect(() => createKeyring({ keys: twice, current: 1 })).toThrow('twice');
  });

  it('shows no secret when it is logged', () => {
    expect(JSON.stringify(keyring.current)).toBe('{"id":3,"sealKey":{},"nonceKey":{}}');
  });
});

describe('a sealed target', () => {
  const token = sign('click', 5n, 6n, 3);
  const url = 'https://shop.example/?q=Gr%C3%B6%C3%9Fe&id=2';

  it('opens with its token only, and is the same each time', () => {
    fc.assert(
      fc.property(fc.webUrl(), id, (target, recipient) => {
        const own = sign('click', 5n, recipient, 3);
        const sealed = sealTarget(keyring, own, target);
        expect(openTarget(keyring, own, sealed)).toBe(target);
        expect(sealTarget(keyring, own, target)).toBe(sealed);
        expect(openTarget(keyring, sign('click', 5n, recipient, 4), sealed)).toBeNull();
      }),
    );
  });

  it('is refused with any bit flipped, cut short, or in another writing', () => {
    const box = Buffer.from(sealTarget(keyring, token, url), 'base64url');
    for (let bit = 0; bit < box.length * 8; bit += 1) {
      const changed = Buffer.from(box);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openTarget(keyring, token, changed.toString('base64url'))).toBeNull();
    }
    for (let length = 0; length < box.length; length += 1)
      expect(openTarget(keyring, token, box.subarray(0, length).toString('base64url'))).toBeNull();
    expect(openTarget(keyring, token, `${box.toString('base64url')}=`)).toBeNull();
  });

  it('never throws at junk, and refuses to be too long to travel', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.base64String(), (a, b) => {
        expect(openTarget(keyring, a, b)).toBeNull();
        expect(openTarget(keyring, token, b)).toBeNull();
      }),
    );
    expect(openTarget(keyring, token, 'A'.repeat(10_000_000))).toBeNull();
    const longest = `https://a.example/${'x'.repeat(4982)}`;
    expect(openTarget(keyring, token, sealTarget(keyring, token, longest))).toBe(longest);
    expect(() => sealTarget(keyring, token, `${longest}x`)).toThrow(RangeError);
  });
});
