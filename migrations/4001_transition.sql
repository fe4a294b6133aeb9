-- What the rhythm, key and loudness of a track are, and where it can be entered and left.
CREATE TABLE track_analysis (
  tenant_id         text NOT NULL,
  catalog_id        text NOT NULL,
  track_id          text NOT NULL,
  analysis_version  text NOT NULL,
  model_id          text NOT NULL,
  duration_ms       bigint NOT NULL CHECK (duration_ms >= 0),
  tempo_bpm         double precision,
  tempo_confidence  double precision NOT NULL,
  key_tonic         text,
  key_mode          text CHECK (key_mode IN ('major', 'minor')),
  key_strength      double precision,
  integrated_lufs   double precision NOT NULL,
  range_lu          double precision NOT NULL,
  true_peak_dbtp    double precision NOT NULL,
  -- int32 milliseconds, little endian.
  beats_ms          bytea NOT NULL,
  downbeats_ms      bytea NOT NULL,
  -- Loudness of each second in tenths of LUFS: int16, little endian.
  loudness_curve    bytea NOT NULL,
  -- Sections, cues, tuning, technical quality, and how the recording starts and ends.
  details           jsonb NOT NULL,
  created_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog_id, track_id),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

-- Tails (before a way out) and heads (after a way in) as the transition model sees them.
CREATE TABLE track_seam (
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  track_id   text NOT NULL,
  side       text NOT NULL CHECK (side IN ('tail', 'head')),
  ordinal    integer NOT NULL,
  at_ms      bigint NOT NULL CHECK (at_ms >= 0),
  strength   double precision NOT NULL,
  -- float32, little endian: the model's input, and what it made of it.
  features   bytea NOT NULL,
  code       bytea NOT NULL,
  PRIMARY KEY (tenant_id, catalog_id, track_id, side, ordinal),
  FOREIGN KEY (tenant_id, catalog_id, track_id)
    REFERENCES track_analysis (tenant_id, catalog_id, track_id) ON DELETE CASCADE
);

CREATE INDEX track_seam_track ON track_seam (tenant_id, track_id);
ALTER TABLE track_seam ALTER COLUMN features SET STORAGE EXTERNAL;
ALTER TABLE track_seam ALTER COLUMN code SET STORAGE EXTERNAL;

-- Where the audio of a track can be read again: a file of the owner's, or a copy in the data folder.
CREATE TABLE track_audio (
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  track_id   text NOT NULL,
  kept       boolean NOT NULL,
  path       text NOT NULL,
  PRIMARY KEY (tenant_id, catalog_id, track_id),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

-- Ordered changes that the indexes of entry points follow; the latest one of a track counts.
CREATE TABLE transition_change (
  sequence  bigserial PRIMARY KEY,
  tenant_id text NOT NULL,
  track_id  text NOT NULL,
  UNIQUE (tenant_id, track_id)
);

-- One at a time, so that sequences become visible in their order.
CREATE FUNCTION note_transition_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed record := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  PERFORM pg_advisory_xact_lock(32762751);
  DELETE FROM transition_change WHERE tenant_id = changed.tenant_id AND track_id = changed.track_id;
  INSERT INTO transition_change (tenant_id, track_id) VALUES (changed.tenant_id, changed.track_id);
  RETURN NULL;
END
$$;

CREATE TRIGGER track_analysis_changed
  AFTER INSERT OR UPDATE OR DELETE ON track_analysis
  FOR EACH ROW EXECUTE FUNCTION note_transition_change();
