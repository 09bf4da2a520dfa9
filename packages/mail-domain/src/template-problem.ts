/** A part of a source mailing. */
export type TemplatePart = 'subject' | 'fromName' | 'fromAddress' | 'replyTo' | 'html' | 'text';

/** Something that keeps a source mailing from being sent, where it stands, and what to do about it. */
export interface TemplateProblem {
  part: TemplatePart;
  /** From 1. For MJML, in the HTML that it compiles to. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  message: string;
  remedy: string;
}

/** All problems of a source mailing at once. */
export class TemplateError extends Error {
  override name = 'TemplateError';
  constructor(readonly problems: readonly TemplateProblem[]) {
    super(problems.map((p) => `${p.part} ${p.line}:${p.column}: ${p.message} ${p.remedy}`).join('\n'));
  }
}

/** One part of a source mailing and the list that its problems go to. */
export class PartSource {
  constructor(
    readonly part: TemplatePart,
    readonly text: string,
    private readonly problems: TemplateProblem[],
  ) {}

  /** @param offset where in `text`, in UTF-16 units from 0 */
  report(offset: number, message: string, remedy: string): void {
    const before = this.text.slice(0, offset);
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.split('\n').length;
    this.problems.push({ part: this.part, line, column: offset - lineStart + 1, message, remedy });
  }
}
