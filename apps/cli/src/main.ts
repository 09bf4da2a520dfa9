#!/usr/bin/env node
import { CommanderError } from 'commander';
import { createProgram } from './program.js';
import { tellFailure } from './support/output.js';
import { exitCodeOf } from './support/problem.js';

const IDLE_MS = 1_000;

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said what is wrong; help and version are no failure.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    tellFailure(error, { json: process.argv.includes('--json') });
    process.exitCode = exitCodeOf(error);
  }
}
// Idle sockets of libraries must not hold a command that is done.
setTimeout(() => process.exit(), IDLE_MS).unref();
