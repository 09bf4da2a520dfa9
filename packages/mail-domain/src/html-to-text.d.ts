/** The part of html-to-text that is used here; the package brings no types. */
declare module 'html-to-text' {
  export interface TextElement {
    attribs: Record<string, string | undefined>;
  }
  export interface TextBuilder {
    addInline(text: string): void;
  }
  export interface TextOptions {
    wordwrap: number | false;
    formatters: Record<string, (element: TextElement, walk: unknown, builder: TextBuilder) => void>;
    selectors: { selector: string; format?: string; options?: Record<string, unknown> }[];
  }
  export function convert(html: string, options: TextOptions): string;
}
