/** The only place of this package that reads the environment. */

/** Where programs are looked for: the entries of PATH, plus the places for servers that a user's PATH may lack. */
export function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'].filter((entry) => entry !== '');
}

/** What a started server gets from our environment: enough to find programs, nothing that could configure it by accident. */
export function bareEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
