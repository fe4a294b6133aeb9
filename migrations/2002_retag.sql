-- What a network heard in a track, before calibration: another calibration of it can speak without the audio.
-- Takes the place of track_tagging.segment_embeddings, which stays for versions that still name it.
CREATE TABLE track_hearing (
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  track_id   text NOT NULL,
  -- SHA-256 of network and front end.
  network    text NOT NULL CHECK (network ~ '^[0-9a-f]{64}$'),
  -- encodeOutputs of libs/tagging.
  outputs    bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog_id, track_id, network),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

ALTER TABLE track_tagging ADD COLUMN network text CHECK (network ~ '^[0-9a-f]{64}$');

-- What a re-tagging job changed, or would change: one row a track whose tags differ or that failed.
CREATE TABLE retag_change (
  tenant_id text NOT NULL,
  job_id    text NOT NULL,
  track_id  text NOT NULL,
  change    jsonb NOT NULL,
  PRIMARY KEY (tenant_id, job_id, track_id),
  FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id) ON DELETE CASCADE
);
