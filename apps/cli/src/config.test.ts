import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSettings } from './config.js';
import { formatEnv, writeEnvFile } from './local/env-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postloop-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('an env file gives back what was written, passwords and key lines whole', () => {
  const env = {
    DATABASE_URL: 'postgres://postgres:a-b_c@127.0.0.1:5/postloop',
    TOKEN_KEYS: '1:aGVsbG8/+=',
    SFTP_HOST_KEY: 'ssh-ed25519 AAAA comment # not a comment $HOME',
  };
  writeEnvFile(folder, env);
  expect(loadSettings(folder, {}).env).toEqual(env);
});

it('a value that no shell could read back is refused', () => {
  expect(() => formatEnv({ A: "it's" })).toThrow();
});

it('--dir names the servers, whatever the environment says: never half of each', () => {
  writeEnvFile(folder, { DATABASE_URL: 'postgres://local/a', SFTP_HOST: '127.0.0.1' });
  const live = {
    DATABASE_URL: 'postgres://live/a',
    SFTP_HOST: 'live.example',
    SFTP_PASSWORD_FILE: '/run/secrets/live',
  };
  const settings = loadSettings(folder, live);
  expect(settings.env).toEqual({ DATABASE_URL: 'postgres://local/a', SFTP_HOST: '127.0.0.1' });
  expect(settings.local).toBe(true);
});

it('a folder without a stack is told with its remedy', () => {
  expect(() => loadSettings(folder, {})).toThrow(
    expect.objectContaining({ exitCode: 2, remedy: expect.stringContaining('postloop up --dir') }),
  );
});
