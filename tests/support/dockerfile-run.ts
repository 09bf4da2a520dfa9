import { execFile } from 'node:child_process';
import { cp, mkdir, stat } from 'node:fs/promises';
import { basename, join, posix, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Instruction } from './dockerfile.js';

export interface BuildOptions {
  /** What COPY without --from takes from. */
  context: string;
  /** Tells whether a path of the context is kept out. */
  ignored: (path: string) => boolean;
  /** Each stage's file system is a folder in here. */
  scratch: string;
  /** Environment of RUN lines, besides ENV, HOME and the stage's own programs in PATH. */
  env: Record<string, string>;
  searchPath: string;
}

interface Stage {
  root: string;
  workdir: string;
  env: Record<string, string>;
}

/** What an image has of the base image, or what only a container would use. */
const NOTED = new Set(['USER', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD', 'LABEL']);

/**
 * Carries out a Dockerfile without Docker: every stage is a plain folder, the base image is this machine. RUN lines really
 * run, in their WORKDIR below that folder; they must keep to relative paths.
 * @returns the last stage's folder
 */
export async function runDockerfile(instructions: readonly Instruction[], options: BuildOptions): Promise<string> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { name, text } of instructions) {
    if (name === 'FROM') {
      const label = / AS (\S+)$/i.exec(text)?.[1] ?? String(stages.size);
      stage = { root: join(options.scratch, label), workdir: '/', env: {} };
      await mkdir(stage.root, { recursive: true });
      stages.set(label, stage);
      continue;
    }
    if (!stage) throw new Error(`${name} before FROM`);
    if (name === 'WORKDIR') await changeDirectory(stage, text);
    else if (name === 'ENV') Object.assign(stage.env, pairs(text));
    else if (name === 'COPY') await copy(stage, text, stages, options);
    else if (name === 'RUN') await run(stage, text, options);
    else if (!NOTED.has(name)) throw new Error(`${name} is not an instruction that this knows`);
  }
  if (!stage) throw new Error('no FROM');
  return stage.root;
}

async function changeDirectory(stage: Stage, path: string): Promise<void> {
  stage.workdir = posix.resolve(stage.workdir, path);
  await mkdir(join(stage.root, stage.workdir), { recursive: true });
}

function pairs(text: string): [string, string][] {
  const found = [...text.matchAll(/(\w+)=(?:"([^"$\\]*)"|([^\s"]*))(?:\s+|$)/g)];
  if (found.map(([pair]) => pair).join('') !== text) throw new Error(`ENV of plain or quoted values only: ${text}`);
  return found.map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]);
}

async function copy(
  stage: Stage,
  text: string,
  stages: ReadonlyMap<string, Stage>,
  options: BuildOptions,
): Promise<void> {
  const words = text.split(/\s+/);
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop();
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const source = from === undefined ? options.context : stages.get(from)?.root;
  if (target === undefined || source === undefined) throw new Error(`COPY ${text}`);
  const filter = (path: string) => from !== undefined || path === source || !options.ignored(relative(source, path));
  const destination = join(stage.root, posix.resolve(stage.workdir, target));
  for (const path of paths.map((given) => join(source, given))) {
    if (!filter(path)) throw new Error(`COPY ${text}: .dockerignore keeps ${path} out`);
    // Of a folder the content is copied; a file goes into a target that ends with a slash.
    const isFile = (await stat(path)).isFile() && target.endsWith('/');
    const to = isFile ? join(destination, basename(path)) : destination;
    if (from === undefined) await cp(path, to, { recursive: true, verbatimSymlinks: true, filter });
    else await copyLinked(path, to);
  }
}

/** Files of another stage are linked, not written again: a stage that is done does not change any more. */
async function copyLinked(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await promisify(execFile)('cp', ['-al', `${from}/.`, to]);
}

async function run(stage: Stage, command: string, options: BuildOptions): Promise<void> {
  const prefix = join(stage.root, 'usr', 'local');
  const home = join(stage.root, 'root');
  await mkdir(home, { recursive: true });
  const own = { HOME: home, npm_config_prefix: prefix, PATH: `${join(prefix, 'bin')}:${options.searchPath}` };
  const settings = {
    cwd: join(stage.root, stage.workdir),
    env: { ...options.env, ...own, ...stage.env },
    maxBuffer: 64 * 1024 * 1024,
  };
  await promisify(execFile)('sh', ['-c', command], settings).catch(({ message, stdout }) => {
    throw new Error(`RUN ${message}\n${String(stdout).slice(-4_000)}`);
  });
}
