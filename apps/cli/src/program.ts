import { Command } from 'commander';
import { addClientCommands } from './commands/client.js';
import { addDemoCommand } from './commands/demo.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addEraseCommand } from './commands/erase.js';
import { addEventCommands } from './commands/event.js';
import { addExportCommands } from './commands/export.js';
import { addImportCommands } from './commands/import.js';
import { addIngestCommand } from './commands/ingest.js';
import { addMailingCommands } from './commands/mailing.js';
import { addMigrateCommands } from './commands/migrate.js';
import { addQueueCommands } from './commands/queue.js';
import { addRecipientCommands } from './commands/recipient.js';
import { addSourceMailingCommands } from './commands/source-mailing.js';
import { addSuppressionCommands } from './commands/suppression.js';
import { addUnknownCommands } from './commands/unknown.js';
import { addUpCommand } from './commands/up.js';

const SETTINGS = `
Settings come from the environment, by the names that the apps use (DATABASE_URL, REDIS_URL, SFTP_…, SMTP_URL; NAME_FILE
reads one from a file). If it names no server, they come from .postloop/env in the current folder, which \`postloop up\`
writes; --dir names another folder.
Exit codes: 0 done, 1 failed, 2 used or configured wrongly.`;

/** The whole command line. Nothing is read or opened until a command runs. */
export function createProgram(): Command {
  const program = new Command('postloop')
    .description('Closed-loop e-mail: recipient files in over SFTP, mail out over SMTP, every response back as CSV.')
    .addHelpText('after', SETTINGS)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  addUpCommand(program);
  addDemoCommand(program);
  addDoctorCommand(program);
  addMigrateCommands(program);
  addClientCommands(program);
  addSourceMailingCommands(program);
  addIngestCommand(program);
  addImportCommands(program);
  addMailingCommands(program);
  addRecipientCommands(program);
  addEventCommands(program);
  addSuppressionCommands(program);
  addExportCommands(program);
  addUnknownCommands(program);
  addQueueCommands(program);
  addEraseCommand(program);
  return program;
}
