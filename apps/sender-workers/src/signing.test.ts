import { generateKeyPairSync } from 'node:crypto';
import { createDkimKey } from '@postloop/mail-domain/dkim';
import { expect, it } from 'vitest';
import { chooseKeys, createSigning } from './signing.js';

const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const key = (domain: string, selector: string) => createDkimKey({ domain, selector, algorithm: 'ed25519-sha256', pem });
const keys = [key('a.example', 'a1'), key('mail.a.example', 'a2'), key('b.example', 'b1')];

it.each([
  ['those of the From domain', undefined, 'news@a.example', ['a1', 'a2'], true],
  ['or of its organisation', undefined, 'news@shop.b.example', ['b1'], true],
  ['all, where none is', undefined, 'news@c.example', ['a1', 'a2', 'b1'], false],
  ['exactly those that the transport names', ['a1', 'b1'], 'news@a.example', ['a1', 'b1'], true],
  ['even if none is the sender’s own', ['b1'], 'news@a.example', ['b1'], false],
  ['none, when it names none', [], 'news@a.example', [], false],
])('signs with %s', (_what, selectors, from, expected, aligned) => {
  const choice = chooseKeys(keys, selectors, from);
  expect(choice.keys.map(({ selector }) => selector)).toEqual(expected);
  expect(choice.aligned).toBe(aligned);
});

it('warns once per mailing when no key belongs to the From domain', () => {
  const warnings: bigint[] = [];
  const signerOf = createSigning(keys, undefined, ({ mailingId }) => warnings.push(mailingId));
  for (const id of [1n, 1n, 2n]) signerOf({ id, fromAddress: 'x@c.example' });
  signerOf({ id: 3n, fromAddress: 'x@a.example' });
  createSigning([], undefined, ({ mailingId }) => warnings.push(mailingId))({ id: 4n, fromAddress: 'x@c.example' });
  expect(warnings).toEqual([1n, 2n]);
});
