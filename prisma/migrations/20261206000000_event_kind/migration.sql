-- Each response file asks for one kind of a run's tickets. Without the kind, a file of which a run has hardly anything read all
-- its events. Beside the old index, so that readers need not wait while this one is built; the gateway spools meanwhile.
CREATE INDEX event_ticket_new ON event (client_id, ticket, kind);
