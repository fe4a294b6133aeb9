-- SHA-256 of all that decides what a version says: network, front end, tags, calibration, thresholds. NULL: not yet known.
ALTER TABLE model_version ADD COLUMN voice text CHECK (voice ~ '^[0-9a-f]{64}$');
