-- Whether a scan heard the recording itself or another version of the composition.
ALTER TABLE scan_match
  ADD COLUMN relation text NOT NULL DEFAULT 'recording' CHECK (relation IN ('recording', 'version'));
