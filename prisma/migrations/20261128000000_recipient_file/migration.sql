-- The list of an import keeps the fields that its file was read by: a changed master list changes neither an import on its
-- way nor a mailing that exists.
INSERT INTO recipient_list_field (list_id, ordinal, name, type, length, required, role)
SELECT l.id, f.ordinal, f.name, f.type, f.length, f.required, f.role
  FROM recipient_list l JOIN recipient_list_field f ON f.list_id = l.master_list_id
 WHERE l.kind = 'import';

-- A time of day and a zone, as "09:00 Europe/Berlin": copies wait for the next such time after their import. NULL: at once.
ALTER TABLE source_mailing ADD COLUMN send_at text CHECK (send_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9] [A-Za-z][A-Za-z0-9_+/-]*$');

-- What the scheduler looks for every second.
CREATE INDEX mailing_scheduled ON mailing (send_at) WHERE status = 'scheduled';
