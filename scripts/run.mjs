// `npm run demo`, `npm run postloop` and `npm test`: set everything up, then run. Needs only Node and npm; uses nothing
// but Node itself, because nothing is installed yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [command, ...args] = process.argv.slice(2);
const packageManager = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

checkNode();
setUp();
const commands = { test, postloop, demo, bench, soak };
process.exit((commands[command] ?? demo)());

function demo() {
  return run(process.execPath, ['apps/cli/dist/main.js', 'demo', ...args]);
}

/** The command line, in the folder where npm was called: paths are meant from there. */
function postloop() {
  return run(process.execPath, [join(root, 'apps/cli/dist/main.js'), ...args], 'inherit', process.env.INIT_CWD ?? root);
}

/** `npm run bench -- NAME ARGS`: one figure. */
function bench() {
  return run(process.execPath, [join(root, 'bench/dist/main.js'), ...args], 'inherit', process.env.INIT_CWD ?? root);
}

/**
 * `npm run soak -- --minutes N --seed S`: the whole loop under random faults; the last line is its balance as JSON.
 * `--sweep`: a kill at each named kill point in turn. `--report`: docs/RELIABILITY.md from what the fault tests counted.
 */
function soak() {
  if (args.includes('--report')) return run(process.execPath, ['scripts/reliability.mjs']);
  const option = (name, fallback) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
  provideServers();
  process.env.SOAK_MINUTES = option('--minutes', '10');
  process.env.SOAK_SEED = option('--seed', '1');
  process.env.SOAK_ONLY = option('--only', '');
  const program = args.includes('--sweep') ? 'sweep' : 'soak';
  const result = join(root, 'node_modules', '.postloop', `${program}.json`);
  rmSync(result, { force: true });
  const status = run('npx', [
    'vitest',
    'run',
    '--config',
    'tests/soak/vitest.config.ts',
    `tests/soak/${program}.run.ts`,
  ]);
  if (existsSync(result)) process.stdout.write(readFileSync(result, 'utf8'));
  return status;
}

/** With arguments only those tests run; without, the checks and every test. */
function test() {
  provideServers();
  if (args.length > 0) return run('npx', ['vitest', 'run', ...args]);
  const checks = [
    ['types of the tests', 'npx', ['tsc', '-b', 'tests']],
    ['lint and formatting', 'npx', ['biome', 'check', '.']],
    ['unused code and dependencies', 'npx', ['knip']],
  ];
  for (const [what, program, parameters] of checks) {
    say(what);
    const status = run(program, parameters);
    if (status !== 0) return status;
  }
  const results = join(root, 'node_modules', '.postloop', 'test-results.json');
  // What fault tests of other names, or of another day, have counted (docs/RELIABILITY.md).
  rmSync(join(root, 'node_modules', '.postloop', 'faults'), { recursive: true, force: true });
  const status = run('npx', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`]);
  printTotals(results);
  return status;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Postloop needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(2);
}

/** Dependencies when the lock file changed, then the build (turbo skips what is built). */
function setUp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.postloop', 'installed');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    say('installing dependencies');
    must('npx', ['-y', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=error']);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, lock);
  }
  say('building');
  // Through npx, because turbo calls pnpm by name.
  must('npx', [
    '-y',
    packageManager,
    'exec',
    'turbo',
    'run',
    'build',
    '--output-logs=errors-only',
    '--log-order=grouped',
    '--ui=stream',
  ]);
}

/** What tests run against besides what npm brings. Without it they still run, less the part that is named here. */
function provideServers() {
  const wanted = [
    {
      programs: ['redis-server', 'valkey-server'],
      debian: 'redis-server',
      without: 'NO REDIS: the Redis half of the tests does not run',
    },
    { programs: ['dovecot'], debian: 'dovecot-imapd', without: 'no Dovecot: the tests of IMAP polling do not run' },
    {
      programs: ['dkimproxy-verify'],
      debian: 'libmail-dkim-perl',
      without: 'no Mail::DKIM: rsa signatures are not verified by others',
    },
    {
      programs: ['dkimverify'],
      debian: 'python3-dkim',
      without: 'no dkimpy: ed25519 signatures are not verified by others',
    },
    { programs: ['sshd'], debian: 'openssh-server', without: 'no OpenSSH: the tests against its server do not run' },
  ];
  const missing = () => wanted.filter(({ programs }) => !programs.some(onPath));
  if (missing().length === 0) return;
  const names = missing().map(({ debian }) => debian);
  say(`asking apt-get for ${names.join(', ')}`);
  const apt = (parameters) =>
    spawnSync('apt-get', parameters, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status === 0;
  const install = ['install', '-y', '--no-install-recommends', ...names];
  if (!apt(install)) apt(['update']) && apt(install);
  for (const { without, debian } of missing()) say(`${without} (install ${debian} to run them)`);
}

function onPath(program) {
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin'].some((directory) =>
    existsSync(join(directory, program)),
  );
}

function printTotals(results) {
  if (!existsSync(results)) return;
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'));
  console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
}

function run(program, parameters, stdout = 'inherit', cwd = root) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', npm_config_update_notifier: 'false' };
  return spawnSync(program, parameters, { cwd, stdio: ['inherit', stdout, 'inherit'], env }).status ?? 1;
}

/** A step of the set-up: it talks on stderr, because stdout is for results. */
function must(program, parameters) {
  const status = run(program, parameters, 2);
  if (status !== 0) process.exit(status);
}

function say(message) {
  process.stderr.write(`postloop: ${message}\n`);
}
