import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** Networks that may be fetched from although they are not public, as `10.1.0.0/16`. @throws RangeError */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    if (!ipaddr.isValidCIDR(text)) throw new RangeError(`"${text}" is no network: write it as 10.1.0.0/16`);
    return ipaddr.parseCIDR(text);
  });
}

/**
 * Whether an IP address may be connected to: a public unicast address, or one of the networks that were allowed. Every IPv6
 * form that carries an IPv4 address (mapped, 6to4, NAT64: RFC 4291 2.5.5, RFC 3056, RFC 6052) leads to where that one does,
 * so mapped ones are judged as IPv4 and the others refused.
 */
export function isAddressAllowed(text: string, allowed: readonly Network[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (allowed.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits))) return true;
  return address.range() === 'unicast';
}
