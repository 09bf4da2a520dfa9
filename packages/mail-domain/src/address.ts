const ATEXT = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const TOP_LABEL = '[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';

/**
 * The form of a deliverable address as a regular expression that PostgreSQL (`~`) and JavaScript read alike: a dot-atom
 * (RFC 5322 3.2.3), `@`, at least two labels of letters, digits and inner hyphens (RFC 1123 2.1), the last of which
 * starts with a letter. The lengths of the whole and of the local part are not in it.
 */
export const addressPattern = `^${ATEXT}([.]${ATEXT})*@(${LABEL}[.])+${TOP_LABEL}$`;

const PATTERN = new RegExp(addressPattern);

/** RFC 5321 4.5.3.1.1. */
const MAX_LOCAL_PART = 64;
/** RFC 5321 4.5.3.1.3: a path has 256 octets, two of them angle brackets. */
const MAX_ADDRESS = 254;

/**
 * Conservative: no quoted local parts, no address literals, no internationalised addresses (RFC 6531), ASCII only.
 * @param address as `normaliseAddress` leaves it, or at least trimmed
 * @returns null when mail can be sent to the address, else what is wrong with it
 */
export function addressProblem(address: string): string | null {
  if (address === '') return 'is empty';
  if (address.length > MAX_ADDRESS) return `is longer than ${MAX_ADDRESS} characters`;
  if (PATTERN.test(address))
    return address.indexOf('@') > MAX_LOCAL_PART ? `has more than ${MAX_LOCAL_PART} characters before the @` : null;
  return describeFault(address);
}

function describeFault(address: string): string {
  if (/\s/.test(address)) return 'holds white space';
  if (/[^\x21-\x7e]/.test(address)) return 'holds characters outside ASCII';
  const parts = address.split('@');
  if (parts.length !== 2) return 'has not exactly one @';
  const [local = '', domain = ''] = parts;
  if (!new RegExp(`^${ATEXT}([.]${ATEXT})*$`).test(local)) return 'has an invalid part before the @';
  return domain.includes('.') ? 'has an invalid domain' : 'has a domain without a dot';
}

/** The form in which addresses are compared: trimmed, in lower case. */
export function normaliseAddress(address: string): string {
  return address.trim().toLowerCase();
}
