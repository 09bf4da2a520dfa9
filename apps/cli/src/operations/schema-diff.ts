import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeError } from '@postloop/contracts';
import { Problem } from '../support/problem.js';

type Engine = typeof import('@prisma/schema-engine-wasm/schema_engine_bg');

/** Node has it; TypeScript knows it only together with a browser. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

const locateEngine = () => createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');

/**
 * The SQL that leads from one text of schema.prisma to another; undefined when there is nothing to do. It asks no database.
 * @param locate where Prisma's schema engine is installed
 * @throws Problem when the engine is not there, or one of the texts is no schema
 */
export async function diffSchemas(from: string, to: string, locate = locateEngine): Promise<string | undefined> {
  const file = locateOr(locate);
  loaded ??= loadEngine(file);
  const { SchemaEngine } = await loaded;
  using engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, NO_DATABASE);
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'schemaDatamodel', files: [{ path: 'the schema of the last migration', content: from }] },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: to }] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return exitCode === CHANGES && stdout !== null ? stdout : undefined;
  } catch (error) {
    throw new Problem(describeError(error), 'Correct the schema at the place that is named.', 1, { cause: error });
  }
}

/** What `exitCode` says when the schemas differ. */
const CHANGES = 2;

/** Once per process: the package keeps what it knows of its one instance. */
let loaded: Promise<Engine> | undefined;

/** The package imports its WebAssembly as a module, which Node 20 cannot do: the parts are put together here. */
async function loadEngine(file: string): Promise<Engine> {
  const engine: Engine = await import(pathToFileURL(file).href);
  const bytes = readFileSync(join(dirname(file), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...engine } });
  engine.__wbg_set_wasm(instance.exports);
  const { __wbindgen_start: start } = instance.exports;
  if (typeof start === 'function') start();
  return engine;
}

function locateOr(locate: () => string): string {
  try {
    return locate();
  } catch (cause) {
    throw new Problem(
      "Prisma's schema engine (@prisma/schema-engine-wasm) is not installed",
      'Make migrations in a checkout of the project with its development dependencies: run `npm test` or `pnpm install` there.',
      2,
      { cause },
    );
  }
}

/** The engine wants a database when it starts, and asks it whether its schema `public` is there and which version it is. */
const NO_DATABASE = (() => {
  const [boolean, text, int32] = [5, 7, 0];
  const answer = {
    columnNames: ['exists', 'version', 'numeric_version'],
    columnTypes: [boolean, text, int32],
    rows: [[true, 'PostgreSQL 16.0', 160_000]],
  };
  const names = { provider: 'postgres', adapterName: 'none' };
  const connection = { ...names, queryRaw: async () => ({ ok: true, value: answer }) };
  return { ...names, connect: async () => ({ ok: true, value: connection }) };
})();
