import { startSmtpDrain } from '@postloop/local-stack';

// A program of its own, so that its CPU time is counted apart.
const [port, delayMs] = process.argv.slice(2).map(Number);
await startSmtpDrain({ port: port ?? 0, delayMs: delayMs ?? 0 });
