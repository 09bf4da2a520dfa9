-- Age in seconds of the oldest work of each kind; NULL when none waits. Everything here walks partial indexes over what is open,
-- or takes the first row after a client's watermark: no statement grows with what is done.
WITH sending AS (
  SELECT id, started_at FROM mailing WHERE status = 'sending'
), open_batch AS (
  SELECT s.started_at, b.* FROM sending s JOIN send_batch b ON b.mailing_id = s.id AND b.status <> 'done'
), watermark AS (
  SELECT s.client_id,
         coalesce((SELECT e.to_ticket FROM export e WHERE e.client_id = s.client_id AND e.status = 'done' ORDER BY e.run DESC LIMIT 1), 0) AS ticket
    FROM schedule s WHERE s.kind = 'response_export'
), oldest (work, since) AS (
  -- Seen, and not yet rows. Not changed_at: the importer's pulse moves it.
  SELECT 'file-import', (SELECT min(coalesce(restarted_at, created_at)) FROM import WHERE status IN ('claiming', 'claimed'))
  UNION ALL
  SELECT 'mailing-build', (SELECT min(changed_at) FROM import WHERE status = 'imported')
  UNION ALL
  -- Mails that could be sent and that no sender holds.
  SELECT 'mail-send', (SELECT min(CASE status WHEN 'queued' THEN greatest(changed_at, started_at) WHEN 'waiting' THEN due_at ELSE lease_until END)
                         FROM open_batch)
  UNION ALL
  -- Handed to a server that did not answer yet. A lease has few of these; the oldest leases are enough to see one hang.
  SELECT 'in-flight', (SELECT min(d.started_at)
                         FROM (SELECT * FROM open_batch WHERE status = 'claimed' ORDER BY changed_at LIMIT 64) b
                         JOIN delivery d ON d.mailing_id = b.mailing_id AND d.recipient_id BETWEEN b.first_id AND b.last_id
                        WHERE d.status = 'in_flight')
  UNION ALL
  -- Started, with recipients that are not settled: also those that a server put off.
  SELECT 'mailing', (SELECT min(started_at) FROM open_batch)
  UNION ALL
  SELECT 'response-export', (
    SELECT min(least(
             (SELECT m.finished_at FROM mailing m WHERE m.client_id = w.client_id AND m.finished_ticket > w.ticket AND NOT m.test
               ORDER BY m.finished_ticket LIMIT 1),
             (SELECT e.recorded_at FROM event e WHERE e.client_id = w.client_id AND e.ticket > w.ticket ORDER BY e.ticket LIMIT 1),
             (SELECT r.recorded_at FROM response r WHERE r.client_id = w.client_id AND r.ticket > w.ticket ORDER BY r.ticket LIMIT 1)))
      FROM watermark w)
)
SELECT work, greatest(0, extract(epoch FROM now() - since))::float8 AS seconds FROM oldest
