/**
 * Tells whether a .dockerignore keeps a path (relative, `/` between parts) out of the build. The last pattern that matches
 * decides; a pattern that matches a folder covers what lies in it.
 */
export function dockerIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ excluded: !line.startsWith('!'), pattern: toRegExp(line.replace(/^!/, '')) }));
  return (path) => {
    let ignored = false;
    for (const { excluded, pattern } of rules) if (pattern.test(path)) ignored = excluded;
    return ignored;
  };
}

function toRegExp(pattern: string): RegExp {
  const body = pattern
    .replace(/^\/|\/$/g, '')
    .split(/(\*\*\/|\*)/)
    .map((part) =>
      part === '**/' ? '(?:.*/)?' : part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${body.join('')}(?:/|$)`);
}
