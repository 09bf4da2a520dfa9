DROP INDEX event_ticket;
ALTER INDEX event_ticket_new RENAME TO event_ticket;
