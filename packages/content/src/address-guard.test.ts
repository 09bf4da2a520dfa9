import { expect, it } from 'vitest';
import { isAddressAllowed, parseNetworks } from './address-guard.js';

const none = parseNetworks([]);

it.each([
  '127.0.0.1',
  '10.0.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '240.0.0.1',
  '255.255.255.255',
  '224.0.0.1',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2001::1',
  '2001:db8::1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12::1',
  'fec0::1',
  'ff02::1',
  '100::1',
  'localhost',
  '',
])('%s is not public', (address) => {
  expect(isAddressAllowed(address, none)).toBe(false);
});

it.each(['8.8.8.8', '::ffff:8.8.8.8', '2a00:1450:4001::1'])('%s is public', (address) => {
  expect(isAddressAllowed(address, none)).toBe(true);
});

it('a network that was allowed is, and nothing beside it', () => {
  const networks = parseNetworks(['10.1.0.0/16', 'fd00:1::/32']);
  expect(isAddressAllowed('10.1.2.3', networks)).toBe(true);
  expect(isAddressAllowed('::ffff:10.1.2.3', networks)).toBe(true);
  expect(isAddressAllowed('fd00:1::5', networks)).toBe(true);
  expect(isAddressAllowed('10.2.0.1', networks)).toBe(false);
  expect(() => parseNetworks(['10.1.0.0'])).toThrow(RangeError);
});
