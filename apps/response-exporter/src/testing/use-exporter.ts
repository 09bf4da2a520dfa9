import type { WrittenClientSettings } from '@postloop/contracts';
import type { Database, ExportedFile } from '@postloop/db';
import { afterAll, beforeEach } from 'vitest';
import { type ExporterFixture, startExporterFixture } from './exporter-fixture.js';
import { choose, insertFinishedMailing } from './finished-mailing.js';
import { type RunOptions, runExporter } from './run-exporter.js';

/** What the tests of a file share. */
export interface Exporter {
  fixture: ExporterFixture;
  /** Of the test that runs: the finished mailing, nothing exported. */
  readonly db: Database;
  /** One run. */
  run(options?: RunOptions): Promise<ExportedFile[] | undefined>;
  /** One run with these settings. @returns the files' text by name */
  exportWith(settings: WrittenClientSettings['export'], options?: RunOptions): Promise<Record<string, string>>;
}

export async function useExporter(): Promise<Exporter> {
  const fixture = await startExporterFixture();
  afterAll(() => fixture[Symbol.asyncDispose]());
  let db: Database;
  beforeEach(async () => {
    db = await fixture.newDatabase();
    await insertFinishedMailing(db);
    await fixture.emptyExports('acme');
  });
  const run = (options: RunOptions = {}) => runExporter(fixture, db, options);
  return {
    fixture,
    get db() {
      return db;
    },
    run,
    async exportWith(settings, options) {
      await choose(db, { export: settings });
      await run(options);
      return fixture.exported('acme');
    },
  };
}
