import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectSourceMailingSummaries } from '@postloop/db';
import type { Command } from 'commander';
import { withConnections } from '../connections.js';
import { applySourceMailings, requireClient } from '../customer-files/apply.js';
import { readClientFile } from '../customer-files/client-file.js';
import { describeProblem, type FileProblem, throwProblems } from '../customer-files/customer-file-error.js';
import {
  findClientFile,
  findSourceFolders,
  folderName,
  readSourceFolder,
  type SourceFiles,
} from '../customer-files/source-files.js';
import { compileFolder, namesBeside, namesOf, type TemplateNames } from '../operations/compile-folder.js';
import { readRow, renderPreview } from '../operations/preview.js';
import { readPreviewProducts } from '../operations/preview-products.js';
import { facts, printable, table } from '../support/format.js';
import { type Context, group, leaf, run } from '../support/leaf.js';
import { wholeNumber } from '../support/list-options.js';
import { Problem } from '../support/problem.js';

interface ClientOption {
  client?: string;
}

interface PreviewOptions extends ClientOption {
  row: string;
  line?: string;
  products?: string;
  recommendations?: string;
  out: string;
}

const WHOSE = 'whose they are (name, directory or ID); default: the client.json beside or above the folder';

export function addSourceMailingCommands(program: Command): void {
  const source = group(program, 'source-mailing', 'the templates that recipient files name');
  leaf(source, 'apply <dir>', 'make or change the source mailings in a folder', { connects: true, writes: true })
    .option('--client <client>', WHOSE)
    .action(run<ClientOption, [string]>(apply));
  leaf(source, 'list', 'all source mailings', { connects: true })
    .option('--client <client>', 'only those of this client (name, directory or ID)')
    .action(run<ClientOption>(list));
  leaf(source, 'validate <dir>', 'compile them and tell every undefined placeholder with its place', { connects: true })
    .option('--client <client>', WHOSE)
    .action(run<ClientOption, [string]>(validate));
  leaf(source, 'preview <dir>', 'the mail that a row of a recipient file gets', { connects: true })
    .requiredOption('--row <file>', 'recipient file')
    .requiredOption('--out <folder>', 'where mail.html, mail.txt and mail.eml go')
    .option('--line <number>', 'line of the row in the file (default: the first row)')
    .option('--products <file>', 'product data to show, as in products/')
    .option('--recommendations <file>', 'which products go with which, as in products/')
    .option('--client <client>', WHOSE)
    .action(run<PreviewOptions, [string]>(preview));
}

async function apply({ out, options, dryRun, settings }: Context<ClientOption>, dir: string) {
  const sources = findSourceFolders(dir).map(readSourceFolder);
  const name = options.client ?? nameBeside(dir);
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = await requireClient(db, name);
    throwProblems(await problemsOf(sources, await namesOf(db, client)));
    if (dryRun) {
      const names = sources.map((source) => source.name);
      out.result({ dryRun, clientId: client.id, names }, `would apply to "${client.name}": ${names.join(', ')}\n`);
      return 0;
    }
    const applied = await applySourceMailings(db, { id: client.id, listId: client.list.id }, sources);
    out.result(
      applied.map(({ id, clientId, name: source, status }) => ({ id, clientId, name: source, status })),
      table(
        ['BROADMAIL_ID', 'source mailing', 'status'],
        applied.map(({ id, name: source, status }) => [id, source, status]),
      ),
    );
    return 0;
  });
}

async function list({ out, options, settings }: Context<ClientOption>) {
  return withConnections(settings(), ['db'], async ({ db }) => {
    const client = options.client === undefined ? null : await requireClient(db, options.client);
    const rows = await selectSourceMailingSummaries(db.pool, client?.id ?? null);
    out.result(
      rows,
      table(
        ['BROADMAIL_ID', 'client', 'source mailing', 'status', 'subject', 'changed'],
        rows.map((one) => [one.id, one.clientName, one.name, one.status, one.subject, one.updatedAt]),
        'no source mailings; make them with `postloop source-mailing apply FOLDER`',
      ),
    );
    return 0;
  });
}

async function validate(context: Context<ClientOption>, dir: string) {
  const sources = findSourceFolders(dir).map(readSourceFolder);
  const problems = await problemsOf(sources, await namesFor(context, dir));
  const names = sources.map(({ name }) => name);
  context.out.result(
    { valid: problems.length === 0, names, problems },
    problems.length === 0
      ? `valid: ${names.map(printable).join(', ')}\n`
      : problems.map((problem) => `${printable(describeProblem(problem))}\n`).join(''),
  );
  return problems.length === 0 ? 0 : 1;
}

async function preview(context: Context<PreviewOptions>, dir: string) {
  const { options, out } = context;
  const [folder = dir, ...more] = findSourceFolders(dir);
  if (more.length > 0)
    throw new Problem(
      `${dir} holds several source mailings`,
      `Name one of them: ${[folder, ...more].map(folderName).join(', ')}.`,
      2,
    );
  const line = options.line === undefined ? undefined : wholeNumber(options.line, '--line', 1);
  const products = await readPreviewProducts(options.products, options.recommendations);
  const found = await namesFor(context, dir);
  const names = { ...found, productColumns: products.columns ?? found.productColumns };
  const source = readSourceFolder(folder);
  const compiled = await compileFolder(source, names);
  if ('problems' in compiled) throwProblems(compiled.problems);
  if (!('copy' in compiled)) throw new Error('unreachable');
  const row = await readRow(options.row, names.fields.length, line);
  const extras = { data: products.data, attachments: source.attachments };
  const { eml, html, text, ...told } = await renderPreview(compiled.copy.program, names.fields, row, extras);
  mkdirSync(options.out, { recursive: true });
  const files = Object.entries({ 'mail.html': html, 'mail.txt': text, 'mail.eml': eml }).map(([name, content]) => {
    const file = join(options.out, name);
    writeFileSync(file, content);
    return file;
  });
  out.result(
    { ...told, files },
    facts([
      ['line', told.line],
      ['to', told.email],
      ['subject', told.subject],
      ...files.map((f) => ['file', f] as const),
    ]),
  );
  return 0;
}

async function problemsOf(sources: readonly SourceFiles[], names: TemplateNames): Promise<FileProblem[]> {
  const problems: FileProblem[] = [];
  for (const source of sources) {
    const compiled = await compileFolder(source, names);
    if ('problems' in compiled) problems.push(...compiled.problems);
  }
  return problems;
}

/** From the database when a client is named, else from its client.json: no server is needed then. */
async function namesFor({ options, settings }: Context<ClientOption>, dir: string): Promise<TemplateNames> {
  const { client } = options;
  if (client === undefined) return namesBeside(dir);
  return withConnections(settings(), ['db'], async ({ db }) => namesOf(db, await requireClient(db, client)));
}

function nameBeside(dir: string): string {
  const file = findClientFile(dir);
  if (file === undefined)
    throw new Problem(
      `no client.json belongs to ${dir}`,
      'Name the client with --client, or put its client.json beside the folder or above it.',
      2,
    );
  return readClientFile(file).name;
}
