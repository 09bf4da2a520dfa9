import { describeError } from '@postloop/contracts';
import {
  type Database,
  type MailingToSend,
  selectMailingToSend,
  selectRenderData,
  selectSentFields,
} from '@postloop/db';
import {
  createRenderer,
  currentProgram,
  type Keyring,
  needsOf,
  RenderError,
  type Renderer,
} from '@postloop/mail-domain';
import { BoundedCache, type Logger } from '@postloop/service-kit';
import { within } from './deadline.js';

/** `gone`: nobody can see it any more. `unavailable`: nobody can say at the moment. */
export type FoundPage = { state: 'known'; html: string } | { state: 'gone' } | { state: 'unavailable' };

export type FindPage = (mailingId: bigint, recipientId: bigint) => Promise<FoundPage>;

export interface FindPageOptions {
  db: Pick<Database, 'pool'>;
  keyring: Keyring;
  publicUrl: string;
  /** How long somebody who looks waits for the database, in milliseconds. */
  timeoutMs: number;
  log: Pick<Logger, 'warn'>;
}

interface Prepared {
  mailing: MailingToSend;
  renderer: Renderer;
}

/** Mailings whose programs are kept. */
const KEPT = 50;

/** Makes the page of a mail anew: from the frozen copy, the recipient's fields, and the products and content of back then. */
export function createFindPage({ db, timeoutMs, log, ...options }: FindPageOptions): FindPage {
  const kept = new BoundedCache<bigint, Prepared>(KEPT);

  async function prepare(mailingId: bigint): Promise<Prepared | undefined> {
    const known = kept.get(mailingId);
    if (known) return known;
    const mailing = await selectMailingToSend(db.pool, mailingId);
    if (!mailing) return undefined;
    // What stands in headers only: a page has none.
    const headers = { returnPathDomain: 'web.invalid', listId: 'web.invalid' };
    const { clientId, program } = mailing;
    const prepared = { mailing, renderer: createRenderer(program, { ...options, ...headers, mailingId, clientId }) };
    kept.set(mailingId, prepared);
    return prepared;
  }

  async function find(mailingId: bigint, recipientId: bigint): Promise<FoundPage> {
    const fields = await selectSentFields(db.pool, mailingId, recipientId);
    const prepared = fields && (await prepare(mailingId));
    if (!prepared) return { state: 'gone' };
    const { mailing, renderer } = prepared;
    const data = await selectRenderData(db.pool, mailing, [needsOf(currentProgram(mailing.program), fields)]);
    return { state: 'known', html: renderer.renderPage({ id: recipientId, fields }, data) };
  }

  return async (mailingId, recipientId) => {
    try {
      return await within(find(mailingId, recipientId), timeoutMs, 'database');
    } catch (error) {
      // There was no such mail, either.
      if (error instanceof RenderError) return { state: 'gone' };
      log.warn({ error: describeError(error), mailingId: mailingId.toString() }, 'a web version could not be made');
      return { state: 'unavailable' };
    }
  };
}
