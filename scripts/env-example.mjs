// Writes .env.example: every setting of every app, as the apps' own configuration schemas know it. Run after a build.
// `--print` writes to stdout instead.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const HEAD = `# Every setting of Postloop, made by scripts/env-example.mjs from the configuration schemas of the apps: do not edit.
# Copy it to .env and take the # away from what you want to set. A value shown is the default; an empty one has none.
# NAME_FILE=/path takes the value from a file, which is the way for secrets. docker-compose.yml sets what is required.
`;

const text = [HEAD, ...sections(await readSchemas()).map(section)].join('\n');
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(root, '.env.example'), text);

/** @returns the schema of each app: [name, zod object] */
async function readSchemas() {
  const names = readdirSync(join(root, 'apps')).sort();
  const files = names.map((name) => [name, join(root, 'apps', name, 'dist', 'config.js')]);
  const schemas = [];
  for (const [name, file] of files.filter(([, path]) => existsSync(path))) {
    const { configSchema } = await import(pathToFileURL(file).href);
    if (configSchema) schemas.push([name, configSchema]);
  }
  return schemas;
}

/** A variable stands in one section: of the app that reads it, or of all the apps that read the same one. */
function sections(schemas) {
  const readers = new Map();
  for (const [app, schema] of schemas) {
    const { properties, required = [] } = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' });
    for (const [name, type] of Object.entries(schema.shape)) {
      const variable = describe(name, type, properties[name], required.includes(name));
      const same = `${name}\n${variable}`;
      readers.set(same, { variable, apps: [...(readers.get(same)?.apps ?? []), app] });
    }
  }
  const bySection = new Map();
  for (const { variable, apps } of readers.values()) {
    const title = apps.length === schemas.length ? 'every app' : apps.join(', ');
    bySection.set(title, { shared: apps.length, lines: [...(bySection.get(title)?.lines ?? []), variable] });
  }
  return [...bySection].sort(([a, one], [b, other]) => other.shared - one.shared || (a < b ? -1 : 1));
}

function section([title, { lines }]) {
  return `# ---- ${title} ----\n\n${lines.join('\n')}`;
}

function describe(name, type, { default: value = '', enum: choices }, required) {
  const notes = [choices?.join(' | '), required ? 'REQUIRED' : undefined].filter(Boolean);
  return `# ${[type.description, ...notes].join('; ')}\n#${name}=${value}\n`;
}
