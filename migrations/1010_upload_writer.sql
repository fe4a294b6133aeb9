-- Who writes a part of an upload holds it for a minute at a time, without holding a connection.
ALTER TABLE upload ADD COLUMN writing_until timestamptz;
