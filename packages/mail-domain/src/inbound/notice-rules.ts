import { fieldText, rawField } from './header-fields.js';
import type { InboundReport } from './parse-inbound.js';
import { foldText, matchesPhrase } from './phrase.js';
import type { NoticeRule } from './rules/notice-rules.js';

const MAX_TEXT = 4_000;

/** @returns the name of the first rule that the message matches; null without one */
export function matchNotice(report: InboundReport, rules: readonly NoticeRule[]): string | null {
  return rules.find((rule) => matches(report, rule))?.name ?? null;
}

function matches(report: InboundReport, { where, field, phrases, unless }: NoticeRule): boolean {
  if (where === 'field' && phrases.length === 0) return rawField(report.fields, field ?? '') !== '';
  const text = foldText(textAt(report, where, field).slice(0, MAX_TEXT));
  const occurs = (phrase: string): boolean =>
    phrase.startsWith('^') ? text.startsWith(phrase.slice(1)) : matchesPhrase(text, phrase);
  return phrases.some(occurs) && !unless?.some(occurs);
}

function textAt(report: InboundReport, where: NoticeRule['where'], field = ''): string {
  return where === 'text' ? report.text : fieldText(report.fields, where === 'field' ? field : where);
}
