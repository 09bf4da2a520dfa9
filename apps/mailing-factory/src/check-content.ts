import { ContentError, type ContentFetcher, fetchOnce, parseHostList } from '@postloop/content';
import type { Clock, FileFault } from '@postloop/contracts';
import {
  type BuildingMailing,
  type ContentUrl,
  claimContent,
  type Database,
  forgetContent,
  keepContent,
  selectClientSettings,
  selectContentUrls,
  selectMailingToSend,
} from '@postloop/db';
import { currentProgram } from '@postloop/mail-domain';

export interface ContentCheck {
  db: Database;
  clock: Clock;
  fetcher: ContentFetcher;
  leaseMs: number;
}

/** So many URLs of a mailing are tried, the first of its file; of those that follow the hosts are looked at. */
const TRIED = 20;
const MOST_HOSTS = 1_000;

/**
 * Before the first mail of a mailing whose copy stands: can the content be had that its mails must not go without? What is
 * fetched is kept for the senders, unless the mailing is to be sent later: content is that of the day on which it is sent.
 * @returns what is in the way
 */
export async function checkContent(
  { db, clock, fetcher, leaseMs }: ContentCheck,
  mailing: BuildingMailing,
): Promise<FileFault[]> {
  const copy = await selectMailingToSend(db.pool, mailing.id);
  if (!copy) throw new Error(`mailing ${mailing.id} has no copy`);
  const { needs, settings } = currentProgram(copy.program);
  if (needs.content.length === 0) return [];
  const { hosts } = (await selectClientSettings(db.pool, copy.clientId)).content;
  if (hosts.length === 0) return [noHosts(mailing)];
  if (settings.missingContent !== 'do_not_send') return [];

  const fields = [...new Set(needs.content.map(({ field }) => field))];
  const named = await selectContentUrls(db.pool, mailing.id, fields, { urls: TRIED, hosts: MOST_HOSTS });
  const refused = named.hosts.filter((place) => !isAllowed(place, hosts));
  if (refused.length > 0) return refused.map((place) => notAllowed(mailing, place));

  // An earlier start that failed, or was lost, left what it found: that was then.
  await forgetContent(db.pool, mailing.id);
  const faults: FileFault[] = [];
  const shelf = {
    claim: (urls: readonly string[]) => claimContent(db.pool, mailing.id, urls, leaseMs),
    async keep(url: string, outcome: Parameters<typeof keepContent>[3] | ContentError) {
      await keepContent(db.pool, mailing.id, url, outcome);
      const place = named.urls.find((one) => one.url === url);
      if (outcome instanceof ContentError && place) faults.push(notThere(mailing, place, outcome));
    },
  };
  const signal = new AbortController().signal;
  await fetchOnce(
    { fetcher, shelf, hosts, signal },
    named.urls.map(({ url }) => url),
  );
  if (mailing.sendAt && mailing.sendAt > clock.now()) await forgetContent(db.pool, mailing.id);
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** What is no URL is told when it is fetched. */
function isAllowed({ url }: ContentUrl, hosts: readonly string[]): boolean {
  return !URL.canParse(url) || parseHostList(hosts)(new URL(url).hostname);
}

const noHosts = ({ name }: BuildingMailing): FileFault => ({
  code: 'content',
  line: null,
  column: null,
  message: `source mailing ${name} shows content from URLs, and the client allows no host.`,
  remedy:
    'Name the hosts in client.json ("content": {"hosts": ["cdn.example.com"]}), apply it, then restart the import.',
});

const notAllowed = (mailing: BuildingMailing, { url, ...place }: ContentUrl): FileFault => ({
  ...faultAt(place),
  message: `source mailing ${mailing.name} needs content from ${new URL(url).hostname.slice(0, 100)}, which is not allowed.`,
  remedy: 'Add the host to content.hosts in client.json, or correct the URLs, then restart the import.',
});

const notThere = (mailing: BuildingMailing, place: ContentUrl, error: ContentError): FileFault => ({
  ...faultAt(place),
  message: `source mailing ${mailing.name} needs content that cannot be had (${error.fault}): ${error.message}`,
  remedy: 'See to it that the server answers, or correct the URL, then restart the import.',
});

const faultAt = ({
  line,
  column,
}: Pick<ContentUrl, 'line' | 'column'>): Pick<FileFault, 'code' | 'line' | 'column'> => ({
  code: 'content',
  line: Number(line),
  column,
});
