-- W3C traceparent of the span that claimed the file: what the queue forgets, and what no queue carries (events, exports), is
-- linked to it. NULL without tracing.
ALTER TABLE import ADD COLUMN traceparent text;
