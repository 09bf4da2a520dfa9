import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPattern, addressProblem, normaliseAddress } from './index.js';

describe('addressProblem', () => {
  it.each([
    'a@b.example',
    "o'neill+tag=x_y!#$%&*/?^`{|}~-@mail.example.co",
    'a.b.c@xn--bcher-kva.example',
    'A@EXAMPLE.COM',
    `${'a'.repeat(64)}@b.example`,
    `a@${'b'.repeat(63)}.example`,
    'a@1.2.example',
  ])('lets %s pass', (address) => {
    expect(addressProblem(address)).toBeNull();
  });

  it.each([
    ['', 'is empty'],
    ['a', 'has not exactly one @'],
    ['a@b@c.example', 'has not exactly one @'],
    ['a@b', 'has a domain without a dot'],
    ['a@b.example ', 'holds white space'],
    ['a@b.example\n', 'holds white space'],
    ['a\0@b.example', 'holds characters outside ASCII'],
    ['jürgen@b.example', 'holds characters outside ASCII'],
    ['.a@b.example', 'has an invalid part before the @'],
    ['a..b@b.example', 'has an invalid part before the @'],
    ['"a b"@b.example', 'holds white space'],
    ['"ab"@b.example', 'has an invalid part before the @'],
    ['<a@b.example>', 'has an invalid part before the @'],
    ['@b.example', 'has an invalid part before the @'],
    ['a@[192.0.2.1]', 'has an invalid domain'],
    ['a@192.0.2.1', 'has an invalid domain'],
    ['a@-b.example', 'has an invalid domain'],
    ['a@b-.example', 'has an invalid domain'],
    ['a@b..example', 'has an invalid domain'],
    ['a@b.example.', 'has an invalid domain'],
    ['a@b_c.example', 'has an invalid domain'],
    [`a@${'b'.repeat(64)}.example`, 'has an invalid domain'],
    [`${'a'.repeat(65)}@b.example`, 'has more than 64 characters before the @'],
    [`a@${'b.'.repeat(130)}example`, 'is longer than 254 characters'],
  ])('says what is wrong with %j', (address, problem) => {
    expect(addressProblem(address)).toBe(problem);
  });

  it('agrees with the pattern, lengths apart', () => {
    const pattern = new RegExp(addressPattern);
    const letters = fc.constantFrom(..."ab1.-_@+' \n\0ü");
    const near = fc.tuple(fc.string({ unit: letters }), fc.string({ unit: letters })).map((sides) => sides.join('@'));
    fc.assert(
      fc.property(fc.oneof(near, fc.emailAddress(), fc.string()), (address) => {
        fc.pre(address.length <= 254 && address.indexOf('@') <= 64);
        expect(pattern.test(address)).toBe(addressProblem(address) === null);
      }),
      { numRuns: 2000 },
    );
  });

  it('answers at once whatever it is given', () => {
    expect(addressProblem(`${'a.'.repeat(5_000_000)}@`)).not.toBeNull();
  });
});

it('addresses are compared trimmed and in lower case', () => {
  expect(normaliseAddress(' Ann@Example.ORG\t')).toBe('ann@example.org');
});
