import { formatRow } from '@postloop/csv-dialect';
import {
  type ExportRun,
  type PersonalisedLink,
  type RecipientFields,
  type Sql,
  selectMailingToSend,
  selectPersonalisedLinks,
  selectSentRecipientsAfter,
} from '@postloop/db';
import { type CompiledLink, renderTarget } from '@postloop/mail-domain';

const PAGE = 2_000;

type Link = PersonalisedLink & { target: CompiledLink['target'] };

/**
 * The rows of the links file that no table holds: one for each personalised link and each recipient that was sent to,
 * rendered from the mailing's program as the sender did. In order of mailing, recipient, ordinal.
 */
export async function* personalisedLinkRows(sql: Sql, run: ExportRun): AsyncGenerator<Buffer> {
  const links = await selectPersonalisedLinks(sql, run);
  for (const mailingId of new Set(links.map((link) => link.mailingId))) {
    const ofMailing = await withTargets(sql, mailingId, links);
    let after = 0n;
    for (;;) {
      const recipients = await selectSentRecipientsAfter(sql, mailingId, after, PAGE);
      const last = recipients.at(-1);
      if (!last) break;
      const rows = recipients.flatMap((recipient) => ofMailing.map((link) => linkRow(run, link, recipient)));
      yield Buffer.from(rows.join(''));
      after = last.id;
    }
  }
}

async function withTargets(sql: Sql, mailingId: bigint, links: readonly PersonalisedLink[]): Promise<Link[]> {
  const mailing = await selectMailingToSend(sql, mailingId);
  const targets = new Map(mailing?.program.links.map(({ ordinal, target }) => [ordinal, target]));
  return links
    .filter((link) => link.mailingId === mailingId)
    .map((link) => ({ ...link, target: targets.get(link.ordinal) ?? [] }));
}

/** Nothing where the mail had no link either: the recipient's values did not make an http(s) address. */
function linkRow(run: ExportRun, link: Link, recipient: RecipientFields): string {
  const url = renderTarget(link.target, recipient.fields);
  if (url === null) return '';
  const id = recipient.id + BigInt(link.ordinal);
  const ids = [id, link.mailingId, recipient.id, run.clientId].map((value) => value.toString());
  return formatRow([...ids, link.name, url]);
}
