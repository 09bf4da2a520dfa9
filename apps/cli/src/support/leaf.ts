import type { Command } from 'commander';
import { loadSettings, type Settings } from '../config.js';
import { createOutput, type Output } from './output.js';

/** What a command gets besides its arguments. */
export interface Context<O> {
  options: O;
  out: Output;
  /** Only tell what would be done. */
  dryRun: boolean;
  /** Read when asked for: a command without connections works anywhere. */
  settings(): Settings;
}

interface Shared {
  json?: boolean;
  dryRun?: boolean;
  dir?: string;
}

/** Which of the shared options a command takes besides `--json`. */
export interface LeafKind {
  /** Changes something: takes `--dry-run`. */
  writes?: boolean;
  /** Talks to servers: takes `--dir`, the folder of a local stack. */
  connects?: boolean;
}

/** A command that does something, with the options that all of them share. */
export function leaf(parent: Command, usage: string, description: string, kind: LeafKind): Command {
  const command = parent.command(usage).description(description);
  command.option('--json', 'print one JSON value on stdout');
  if (kind.writes) command.option('--dry-run', 'check and tell, change nothing');
  if (kind.connects) command.option('--dir <folder>', 'folder of the local stack (default: .postloop, if it is there)');
  return command;
}

/** The action of a leaf: `work` gets the arguments as they were typed; its result is the exit code (problem.ts). */
export function run<O extends object = Record<never, never>, A extends unknown[] = []>(
  work: (context: Context<O>, ...args: A) => Promise<number>,
): (...all: unknown[]) => Promise<void> {
  return async (...all) => {
    // commander hands over the arguments, then the options, then the command.
    const args = all.slice(0, -2) as A;
    const options = all.at(-2) as O & Shared;
    const context: Context<O> = {
      options,
      out: createOutput(options.json === true),
      dryRun: options.dryRun === true,
      settings: () => loadSettings(options.dir),
    };
    process.exitCode = await work(context, ...args);
  };
}

/** A group of commands, such as `mailing`. */
export function group(program: Command, name: string, description: string): Command {
  return program.command(name).description(description);
}
