import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type FigureResult, keepResult } from './results.js';
import { medianOf, shown } from './statistics.js';

/** One run of one side. */
export interface Round {
  /** In the figure's unit. */
  rate: number;
  /** Highest resident memory in megabytes, by process. */
  peakRssMb: Readonly<Record<string, number>>;
}

/** A figure: something of ours against its reference, in the same run. */
export interface Figure {
  name: string;
  unit: string;
  /** What the ratio ours / reference (or ours alone) should come to, in words of the table. */
  reach: string;
  /** Processes that shared the machine while ours ran: apps, servers and the other end. */
  processes: number;
  reference(): Promise<Round>;
  ours(): Promise<Round>;
}

/** What every figure can be asked. */
export interface FigureOptions {
  /** Of the full size; results of other sizes are shown and not kept. */
  scale: number;
  rounds: number;
}

export function figureOptions(args: readonly string[]): FigureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { scale: { type: 'string', default: '1' }, rounds: { type: 'string', default: '3' } },
  });
  const [scale, rounds] = [Number(values.scale), Number(values.rounds)];
  if (!(scale > 0) || !Number.isInteger(rounds) || rounds < 1)
    throw new RangeError('--scale is a number above 0, --rounds a whole number of at least 1');
  return { scale, rounds };
}

/**
 * Runs reference and ours in turns and prints both; the medians count. The last line of stdout is the result as JSON; one of
 * full size is kept, and stands in docs/PERFORMANCE.md from then on.
 */
export async function runFigure(figure: Figure, { scale, rounds }: FigureOptions): Promise<FigureResult> {
  const theirs: Round[] = [];
  const ours: Round[] = [];
  console.log(`${figure.name}: ${rounds} rounds on ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'})`);
  for (let round = 1; round <= rounds; round += 1) {
    const [their, our] = [await figure.reference(), await figure.ours()];
    theirs.push(their);
    ours.push(our);
    console.log(`  ${round}: reference ${shown(their.rate)}, ours ${shown(our.rate)} ${figure.unit}`);
  }
  return report(figure, theirs, ours, scale);
}

/** Of several figures that were measured together. */
export function report(
  { name, unit, reach, processes }: Omit<Figure, 'reference' | 'ours'>,
  theirs: readonly Round[],
  ours: readonly Round[],
  scale: number,
  parts?: FigureResult['parts'],
): FigureResult {
  const rate = medianOf(ours.map((round) => round.rate));
  const reference = medianOf(theirs.map((round) => round.rate));
  const ratio = Number((rate / reference).toFixed(3));
  const peakRssMb = highest([...theirs, ...ours]);
  const result: FigureResult = {
    name,
    rate,
    reference,
    ratio,
    unit,
    processes,
    peakRssMb,
    ...(parts ? { parts } : {}),
  };
  for (const [process, megabytes] of Object.entries(peakRssMb)) console.log(`  ${process}: peak ${megabytes} MB`);
  console.log(`  ratio ${ratio} (reach: ${reach})`);
  console.log(JSON.stringify(result));
  if (scale === 1) keepResult({ ...result, reach });
  return result;
}

function highest(rounds: readonly Round[]): Record<string, number> {
  const peaks: Record<string, number> = {};
  for (const { peakRssMb } of rounds)
    for (const [process, megabytes] of Object.entries(peakRssMb))
      peaks[process] = Math.max(peaks[process] ?? 0, megabytes);
  return peaks;
}
