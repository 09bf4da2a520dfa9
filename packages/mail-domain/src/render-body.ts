import type { ByteWriter } from './byte-writer.js';
import { escapeHtml } from './escape.js';
import { type Flow, planFlow, runFlow } from './flow.js';
import type { Segment, TagSegment, UrlSegment } from './mail-program.js';
import { encodeQuotedPrintable, SOFT_BREAK, writeQuotedPrintable } from './quoted-printable.js';
import { RenderError } from './render-error.js';
import { LINK_PATHS, type LinkPlan, type MailLinks } from './render-links.js';
import type { RenderScope } from './render-scope.js';
import { planTarget, renderField, renderTarget, renderValue } from './render-value.js';

/** What loops and values can make of a mail before servers refuse it anyway. */
const MAX_BYTES = 50 * 1024 * 1024;

/** Writes one stretch of one mail. Functions and no cases: the fastest that a mail's few dozen steps were measured at. */
type Step = (writer: ByteWriter, scope: RenderScope, links: MailLinks) => void;

/** One segment of one mail. */
type TextOf = (scope: RenderScope, links: MailLinks) => string;
type RunSegment = Exclude<Segment, TagSegment>;

export interface BodyOptions {
  part: 'html' | 'text';
  segments: readonly Segment[];
  links: LinkPlan;
  publicUrl: string;
}

/**
 * Prepares one part: its static stretches become quoted-printable bytes, each ended and started with a soft line break
 * where a value comes, so that values are encoded without knowing the column. Every run starts and ends at the start of a
 * line, so that it can stand behind any other.
 * @returns a function that writes the part for one recipient
 */
export function prepareBody(options: BodyOptions): (writer: ByteWriter, scope: RenderScope, links: MailLinks) => void {
  const flow: Flow<Step[]> = planFlow(options.segments, (run) => planSteps(run, options));
  return (writer, scope, links) =>
    runFlow(flow, scope, (steps) => {
      for (const step of steps) step(writer, scope, links);
      if (writer.length > MAX_BYTES) throw new RenderError(`The mail is larger than ${MAX_BYTES} bytes.`);
    });
}

/** Prepares one part as a text of its own. */
export function prepareText(options: BodyOptions): (scope: RenderScope, links: MailLinks) => string {
  const flow = planFlow(options.segments, (run) =>
    run.map((segment) => (typeof segment === 'string' ? segment : textOf(segment, options.part))),
  );
  return (scope, links) => {
    let text = '';
    runFlow(flow, scope, (run) => {
      for (const piece of run) text += typeof piece === 'string' ? piece : piece(scope, links);
      if (text.length > MAX_BYTES) throw new RenderError(`The page is larger than ${MAX_BYTES} characters.`);
    });
    return text;
  };
}

function textOf(segment: Exclude<RunSegment, string>, part: BodyOptions['part']): TextOf {
  if ('link' in segment) return (scope, links) => links.url(segment, scope);
  if ('url' in segment) return urlText(segment, part);
  return (scope) => renderValue(segment, scope);
}

/** In HTML a URL stands in an attribute. */
function urlText({ url }: UrlSegment, part: BodyOptions['part']): TextOf {
  const target = planTarget(url);
  const escapeUrlText = part === 'html' ? escapeHtml : (text: string) => text;
  return (scope) => escapeUrlText(renderTarget(target, scope) ?? '#');
}

function planSteps(segments: readonly RunSegment[], { part, links, publicUrl }: BodyOptions): Step[] {
  const steps: Step[] = [];
  let text = '';
  const addStatic = (bytes: Buffer) => steps.push((writer) => writer.writeBytes(bytes));
  const add = (step: Step) => {
    addStatic(staticBytes(text, steps.length > 0));
    steps.push(step);
    text = '';
  };
  for (const segment of segments) {
    if (typeof segment === 'string') text += segment;
    else if ('field' in segment)
      add((writer, scope) => writeQuotedPrintable(writer, renderField(segment, scope.fields)));
    else if ('link' in segment && !links.targets.has(segment.link)) {
      text += publicUrl + LINK_PATHS[links.byOrdinal.get(segment.link)?.purpose ?? 'click'];
      add((writer, _scope, of) => writer.writeAscii(of.token(segment.link)));
    } else {
      const write = textOf(segment, part);
      add((writer, scope, of) => writeQuotedPrintable(writer, write(scope, of)));
    }
  }
  addStatic(staticBytes(text, steps.length > 0));
  return steps;
}

/** A soft break is left out where a line starts anyway. */
function staticBytes(text: string, afterValue: boolean): Buffer {
  const startsLine = text === '' || text.endsWith('\n');
  return Buffer.concat([
    Buffer.from(afterValue ? SOFT_BREAK : ''),
    encodeQuotedPrintable(text),
    Buffer.from(startsLine ? '' : SOFT_BREAK),
  ]);
}
