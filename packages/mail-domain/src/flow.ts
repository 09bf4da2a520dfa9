import {
  type AssignSegment,
  type ForSegment,
  type IfSegment,
  isTag,
  type Segment,
  type TagSegment,
} from './mail-program.js';
import type { RenderScope } from './render-scope.js';

/** Segments with their blocks as a tree. A run is what stands between two tags, prepared for its output. */
export type Flow<Run> = FlowNode<Run>[];

type FlowNode<Run> =
  | { kind: 'run'; run: Run }
  | { kind: 'choice'; branches: { test: IfSegment | null; body: Flow<Run> }[] }
  | { kind: 'loop'; loop: ForSegment; body: Flow<Run>; otherwise: Flow<Run> }
  | { kind: 'assignment'; assignment: AssignSegment };

/**
 * @param prepare what is done with a run before the first mail
 * @throws Error when blocks are not closed as they were opened: no program that `compileMail` made
 */
export function planFlow<S extends Segment, Run>(
  segments: readonly S[],
  prepare: (run: Exclude<S, TagSegment>[]) => Run,
): Flow<Run> {
  const planner = new Planner(segments, prepare);
  const flow = planner.plan();
  if (!planner.isAtEnd()) throw new Error('the blocks of this mail program do not match');
  return flow;
}

export function isBalanced(segments: readonly Segment[]): boolean {
  let depth = 0;
  for (const segment of segments) {
    if (!isTag(segment) || segment.tag === 'assign') continue;
    if (segment.tag === 'if' || segment.tag === 'for') depth += 1;
    else if (depth === 0) return false;
    if (segment.tag === 'end') depth -= 1;
  }
  return depth === 0;
}

class Planner<S extends Segment, Run> {
  private at = 0;

  constructor(
    private readonly segments: readonly S[],
    private readonly prepare: (run: Exclude<S, TagSegment>[]) => Run,
  ) {}

  isAtEnd(): boolean {
    return this.at === this.segments.length;
  }

  /** Up to the next tag that belongs to the block around. */
  plan(): Flow<Run> {
    const flow: Flow<Run> = [];
    let run: Exclude<S, TagSegment>[] = [];
    const endRun = () => {
      if (run.length > 0) flow.push({ kind: 'run', run: this.prepare(run) });
      run = [];
    };
    for (;;) {
      const segment = this.segments[this.at];
      if (segment === undefined) break;
      if (isTag(segment)) {
        if (segment.tag !== 'if' && segment.tag !== 'for' && segment.tag !== 'assign') break;
        endRun();
        this.at += 1;
        flow.push(this.planTag(segment));
      } else {
        if (isRunSegment(segment)) run.push(segment);
        this.at += 1;
      }
    }
    endRun();
    return flow;
  }

  private planTag(tag: IfSegment | ForSegment | AssignSegment): FlowNode<Run> {
    if (tag.tag === 'assign') return { kind: 'assignment', assignment: tag };
    const body = this.plan();
    if (tag.tag === 'for') return { kind: 'loop', loop: tag, body, otherwise: this.planRest('for').at(-1)?.body ?? [] };
    return { kind: 'choice', branches: [{ test: tag, body }, ...this.planRest('if')] };
  }

  /** The other branches of a block, and its end. */
  private planRest(of: 'if' | 'for'): { test: IfSegment | null; body: Flow<Run> }[] {
    const branches: { test: IfSegment | null; body: Flow<Run> }[] = [];
    for (;;) {
      const segment = this.segments[this.at];
      this.at += 1;
      const tag = segment !== undefined && isTag(segment) ? segment : null;
      if (tag?.tag === 'end') return branches;
      if (tag?.tag === 'else') branches.push({ test: null, body: this.plan() });
      else if (tag?.tag === 'elsif' && of === 'if') branches.push({ test: tag, body: this.plan() });
      else throw new Error('a block of this mail program is not closed');
    }
  }
}

function isRunSegment<S extends Segment>(segment: S): segment is Exclude<S, TagSegment> {
  return !isTag(segment);
}

/** Hands over the runs that this recipient's mail has, in their order. */
export function runFlow<Run>(flow: Flow<Run>, scope: RenderScope, emit: (run: Run) => void): void {
  for (const node of flow) {
    if (node.kind === 'run') emit(node.run);
    else if (node.kind === 'assignment') scope.assign(node.assignment);
    else if (node.kind === 'choice') {
      const chosen = node.branches.find(({ test }) => test === null || scope.holds(test));
      if (chosen) runFlow(chosen.body, scope, emit);
    } else {
      const items = scope.itemsOf(node.loop);
      if (items.length === 0) runFlow(node.otherwise, scope, emit);
      else scope.repeat(node.loop.name, items, () => runFlow(node.body, scope, emit));
    }
  }
}
