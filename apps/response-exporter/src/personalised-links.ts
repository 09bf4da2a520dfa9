import {
  type ExportRun,
  type RecipientFields,
  type Sql,
  selectMailingToSend,
  selectPersonalisedLinks,
  selectProductData,
  selectSentRecipientsAfter,
} from '@postloop/db';
import { createLinkLister, currentProgram, NO_DATA, needsOf, type RenderData } from '@postloop/mail-domain';

const PAGE = 2_000;

/** A row of the links file: its values by the names of their columns. */
export type LinkRow = Readonly<Record<string, string>>;

/**
 * The rows of the links file that no table holds, in pages: one for each personalised link and each recipient that was sent
 * to, rendered from the mailing's program and product data as the sender did. In order of mailing, recipient, ordinal.
 */
export async function* personalisedLinks(sql: Sql, run: ExportRun): AsyncGenerator<LinkRow[]> {
  const links = await selectPersonalisedLinks(sql, run);
  const sources = new Map(links.map(({ mailingId, sourceMailingId }) => [mailingId, sourceMailingId]));
  for (const [mailingId, sourceMailingId] of sources) {
    const mailing = await selectMailingToSend(sql, mailingId);
    if (!mailing) continue;
    const listLinks = createLinkLister(mailing.program);
    const program = currentProgram(mailing.program);
    const ids = { mailingId: `${mailingId}`, mailingGroupId: `${run.clientId}`, sourceMailingId: `${sourceMailingId}` };
    const rowsOf = ({ id, fields }: RecipientFields, data: RenderData): LinkRow[] =>
      listLinks(fields, data).map(({ ordinal, name, url }) => ({
        ...ids,
        id: `${id + BigInt(ordinal)}`,
        mailingToUserId: `${id}`,
        name,
        url,
      }));
    let after = 0n;
    for (;;) {
      const recipients = await selectSentRecipientsAfter(sql, run, mailingId, after, PAGE);
      const last = recipients.at(-1);
      if (!last) break;
      const needs = recipients.map(({ fields }) => needsOf(program, fields));
      const data = { ...NO_DATA, ...(await selectProductData(sql, mailing, needs)) };
      yield recipients.flatMap((recipient) => rowsOf(recipient, data));
      after = last.id;
    }
  }
}
