import { type Flow, planFlow, runFlow } from './flow.js';
import { Language } from './language.js';
import { PageParts } from './mail-parts.js';
import { currentProgram, type LinkSegment, type Segment, type StoredMail } from './mail-program.js';
import { type FieldValues, NO_DATA, type RenderData } from './render-data.js';
import { RenderError } from './render-error.js';
import { ordinalOf, planLinks } from './render-links.js';
import { RenderScope } from './render-scope.js';
import { renderTarget } from './render-value.js';

/** A link of one mail whose target is its recipient's own. */
export interface PersonalisedLink {
  ordinal: number;
  name: string;
  url: string;
}

/**
 * Prepares the list of a mailing's personalised links.
 * @returns a function that gives those of one recipient's mail, by ordinal: made as the mail was, so one whose values make
 * no http(s) URL, or that stands in a block that the mail does not have, is not among them
 */
export function createLinkLister(stored: StoredMail): (fields: FieldValues, data?: RenderData) => PersonalisedLink[] {
  const { links, settings, booleanFields, ...compiled } = currentProgram(stored);
  const { byOrdinal, targets } = planLinks(links);
  // Programs of before have no blocks: every link is there.
  const parts: readonly (readonly Segment[])[] =
    stored.version === 1 ? [[...targets.keys()].map((link) => ({ link }))] : [compiled.html, compiled.text];
  const flows: Flow<LinkSegment[]>[] = parts.map((segments) =>
    planFlow(segments, (run) =>
      run.flatMap((segment) =>
        typeof segment === 'object' && 'link' in segment && targets.has(segment.link) ? [segment] : [],
      ),
    ),
  );
  const mailing = { language: new Language(settings), settings, booleanFields };
  return (fields, data = NO_DATA) => {
    const found = new Map<number, PersonalisedLink>();
    const visit = (segment: LinkSegment, scope: RenderScope) => {
      const ordinal = ordinalOf(segment, scope);
      const target = targets.get(segment.link);
      const url = target && !found.has(ordinal) ? renderTarget(target, scope) : null;
      if (url !== null) found.set(ordinal, { ordinal, name: byOrdinal.get(ordinal)?.name ?? '', url });
    };
    try {
      for (const flow of flows) {
        const scope = new RenderScope(mailing, fields, data, new PageParts());
        runFlow(flow, scope, (segments) => {
          for (const segment of segments) visit(segment, scope);
        });
      }
    } catch (error) {
      // Who got no mail has no links.
      if (error instanceof RenderError) return [];
      throw error;
    }
    return [...found.values()].sort((a, b) => a.ordinal - b.ordinal);
  };
}
