import { expect, test } from 'vitest';
import { SftpHostKeyError } from './errors.js';
import { fingerprintOf, isPinned, keyTypeOf, parseHostKeys } from './host-key.js';

// The fingerprint is what `ssh-keygen -lf` says.
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd32DcoRBJoaDr+5r6SWq1v8PQ35gh2a6TXljdGHOHV';
const FINGERPRINT = 'SHA256:uKNvMvIrSWwybHVmttNAW4CcztyZgw03uvxMQbr5lFE';
const blob = Buffer.from(KEY.split(' ')[1] ?? '', 'base64');

test('a key line, a scanned line and the fingerprint of ssh-keygen pin the same key', () => {
  for (const setting of [KEY, `${KEY} admin@files`, `[files.example]:22 ${KEY}`, FINGERPRINT, `${FINGERPRINT}=`]) {
    const pins = parseHostKeys(`# our server\n\n ${setting} \r\n`);
    expect(pins.fingerprints).toEqual([FINGERPRINT]);
    expect(isPinned(pins, blob)).toBe(true);
    expect(isPinned(pins, Buffer.concat([blob, Buffer.from([0])]))).toBe(false);
  }
  expect(fingerprintOf(blob)).toBe(FINGERPRINT);
});

test('the kinds of key asked for are those of the key lines, unless a fingerprint leaves the kind open', () => {
  const rsa = `ssh-rsa ${Buffer.from('\0\0\0\x07ssh-rsa...').toString('base64')}`;
  expect(parseHostKeys(`${KEY}\n${rsa}`).algorithms).toEqual(['ssh-ed25519', 'rsa-sha2-512', 'rsa-sha2-256']);
  expect(parseHostKeys(`${KEY}\n${FINGERPRINT}`).algorithms).toBeUndefined();
});

test.each([
  '',
  ' \n# nothing\n',
  'MD5:aa:bb',
  'SHA256:short',
  'ssh-ed25519',
  'ssh-ed25519 AAAA',
  `${KEY.replace('ed25519', 'rsa')}`,
])('refuses to pin %j', (setting) => {
  expect(() => parseHostKeys(setting)).toThrow(SftpHostKeyError);
});

test('a key type is shown only when it is a known one', () => {
  expect(keyTypeOf(blob)).toBe('ssh-ed25519');
  for (const hostile of [
    Buffer.alloc(0),
    Buffer.from('\0\0\0\x05a\nb;c'),
    Buffer.from('\xff\xff\xff\xffssh', 'latin1'),
  ]) {
    expect(keyTypeOf(hostile)).toBe('unknown');
  }
});
