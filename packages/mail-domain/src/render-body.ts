import type { ByteWriter } from './byte-writer.js';
import { escapeHtml } from './escape.js';
import type { CompiledLink, FieldSegment, Segment, TargetSegment } from './mail-program.js';
import { encodeQuotedPrintable, SOFT_BREAK, writeQuotedPrintable } from './quoted-printable.js';
import { type FieldValues, renderField, renderTarget } from './render-value.js';

/** What a body takes from one recipient. */
export interface BodyValues {
  fields: FieldValues;
  /** Token of a link by its ordinal; the part after the path. */
  token: (ordinal: number) => string;
  /** URL of a personalised link by its ordinal. */
  personalisedUrl: (ordinal: number) => string;
}

type Step =
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'field'; segment: FieldSegment }
  | { kind: 'token'; ordinal: number }
  | { kind: 'personalised'; ordinal: number }
  | { kind: 'target'; target: readonly TargetSegment[] };

/** Path below the public URL by purpose; the token follows. */
export const LINK_PATHS: Record<CompiledLink['purpose'], string> = { pixel: '/o/', click: '/c/', unsubscribe: '/u/' };

/**
 * Prepares one part: its static stretches become quoted-printable bytes, each ended and started with a soft line break
 * where a value comes, so that values are encoded without knowing the column.
 * @returns a function that writes the part for one recipient
 */
export function prepareBody(
  part: 'html' | 'text',
  segments: readonly Segment[],
  links: readonly CompiledLink[],
  publicUrl: string,
): (writer: ByteWriter, values: BodyValues) => void {
  const steps = planSteps(segments, links, publicUrl);
  // In HTML a URL stands in an attribute.
  const escapeUrlText = part === 'html' ? escapeHtml : (url: string) => url;
  return (writer, values) => {
    for (const step of steps) {
      if (step.kind === 'bytes') writer.writeBytes(step.bytes);
      else if (step.kind === 'token') writer.writeAscii(values.token(step.ordinal));
      else if (step.kind === 'field') writeQuotedPrintable(writer, renderField(step.segment, values.fields));
      else if (step.kind === 'personalised') writeQuotedPrintable(writer, values.personalisedUrl(step.ordinal));
      else writeQuotedPrintable(writer, escapeUrlText(renderTarget(step.target, values.fields) ?? '#'));
    }
  };
}

function planSteps(segments: readonly Segment[], links: readonly CompiledLink[], publicUrl: string): Step[] {
  const purposes = new Map(links.map((link) => [link.ordinal, link]));
  const steps: Step[] = [];
  let text = '';
  const add = (step: Step) => {
    steps.push({ kind: 'bytes', bytes: staticBytes(text, steps.length > 0, true) }, step);
    text = '';
  };
  for (const segment of segments) {
    if (typeof segment === 'string') text += segment;
    else if ('field' in segment) add({ kind: 'field', segment });
    else if ('url' in segment) add({ kind: 'target', target: segment.url });
    else if (purposes.get(segment.link)?.personalised) add({ kind: 'personalised', ordinal: segment.link });
    else {
      text += publicUrl + LINK_PATHS[purposes.get(segment.link)?.purpose ?? 'click'];
      add({ kind: 'token', ordinal: segment.link });
    }
  }
  steps.push({ kind: 'bytes', bytes: staticBytes(text, steps.length > 0, false) });
  return steps;
}

/** A soft break is left out where a line starts anyway. */
function staticBytes(text: string, afterValue: boolean, beforeValue: boolean): Buffer {
  const encoded = encodeQuotedPrintable(text);
  const startsLine = text === '' || text.endsWith('\n');
  return Buffer.concat([
    Buffer.from(afterValue ? SOFT_BREAK : ''),
    encoded,
    Buffer.from(beforeValue && !startsLine ? SOFT_BREAK : ''),
  ]);
}
