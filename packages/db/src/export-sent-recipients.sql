-- $1 export, $2 mailing, $3 recipient to go on after, $4 how many
SELECT r.id, r.fields
  FROM mailing_recipient r
  JOIN delivery d ON d.mailing_id = r.mailing_id AND d.recipient_id = r.id
  LEFT JOIN export_undecided u ON u.export_id = $1 AND u.mailing_id = r.mailing_id AND u.recipient_id = r.id
 WHERE r.mailing_id = $2 AND r.id > $3
   AND CASE WHEN u.export_id IS NULL THEN d.status ELSE u.status END IN ('sent', 'in_flight', 'unknown')
 ORDER BY r.id LIMIT $4
