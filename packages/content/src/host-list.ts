/** A list of hosts: `cdn.example.com`, or `*.example.com` for every host below it. */
export type HostList = (host: string) => boolean;

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** @throws RangeError for an entry that is no host name */
export function parseHostList(entries: readonly string[]): HostList {
  const exact = new Set<string>();
  const below: string[] = [];
  for (const entry of entries) {
    const name = entry.trim().toLowerCase().replace(/\.$/, '');
    const wild = name.startsWith('*.');
    const host = wild ? name.slice(2) : name;
    if (!host.split('.').every((label) => LABEL.test(label)))
      throw new RangeError(
        `"${entry}" is no host name: write cdn.example.com, or *.example.com for all hosts below it`,
      );
    if (wild) below.push(`.${host}`);
    else exact.add(host);
  }
  return (host) => {
    const name = host.toLowerCase().replace(/\.$/, '');
    return exact.has(name) || below.some((suffix) => name.length > suffix.length && name.endsWith(suffix));
  };
}
