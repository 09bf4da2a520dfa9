-- The SMTP transport of the client's mails, by its name in the configuration of the sender workers (SMTP_TRANSPORTS). Only
-- the name: addresses and secrets never come into the database. NULL: the default one (SMTP_URL).
ALTER TABLE client ADD COLUMN transport text CHECK (transport ~ '^[a-z0-9][a-z0-9_-]{0,62}$');
