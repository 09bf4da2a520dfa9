import type { Command } from 'commander';
import { wantsColour } from '../config.js';
import type { CheckResult, CheckStatus } from '../doctor/check.js';
import { printable } from '../support/format.js';
import { type Context, leaf, run } from '../support/leaf.js';

export function addDoctorCommand(program: Command): void {
  leaf(program, 'doctor', 'look at everything that Postloop depends on, and say what to mend', {
    connects: true,
  }).action(run(doctor));
}

async function doctor({ out, settings }: Context<object>) {
  const [{ examine }, { systemLookup }] = await Promise.all([
    import('../doctor/examine.js'),
    import('../doctor/dns.js'),
  ]);
  const results = await examine(settings(), systemLookup());
  const failed = results.filter(({ status }) => status === 'fail').length;
  const warned = results.filter(({ status }) => status === 'warn').length;
  out.result(
    { ok: failed === 0, failed, warned, checks: results },
    describeChecks(results, wantsColour(process.stdout)),
  );
  return failed === 0 ? 0 : 1;
}

const COLOURS: Record<CheckStatus, number> = { ok: 32, warn: 33, fail: 31, skipped: 90 };

/** A line per check, the remedy below it. */
export function describeChecks(results: readonly CheckResult[], colour: boolean): string {
  const width = Math.max(...results.map(({ check }) => check.length));
  const paint = (status: CheckStatus) => {
    const word = status === 'skipped' ? '-' : status;
    return colour ? `\u001b[${COLOURS[status]}m${word.padEnd(4)}\u001b[0m` : word.padEnd(4);
  };
  const lines = results.flatMap(({ check, status, found, remedy }) => [
    `${paint(status)}  ${check.padEnd(width)}  ${printable(found)}`,
    ...(remedy === null ? [] : [`${' '.repeat(width + 8)}${printable(remedy)}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
