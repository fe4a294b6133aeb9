-- Recordings, their references and the peaks from which every index is derived.
CREATE TABLE track (
  tenant_id             text NOT NULL,
  catalog_id            text NOT NULL,
  id                    text NOT NULL,
  status                text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
  title                 text,
  artists               text[] NOT NULL DEFAULT '{}',
  isrc                  text CHECK (isrc ~ '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$'),
  rights                jsonb,
  source_path           text,
  duration_ms           bigint CHECK (duration_ms >= 0),
  content_hash          text CHECK (content_hash ~ '^[0-9a-f]{64}$'),
  fingerprint_config_id text,
  error_code            text,
  error_title           text,
  version               integer NOT NULL DEFAULT 1,
  created_at            timestamptz NOT NULL DEFAULT now(),
  updated_at            timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog_id, id),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, catalog_id) REFERENCES catalog (tenant_id, id),
  CHECK (status <> 'ready' OR (duration_ms IS NOT NULL AND content_hash IS NOT NULL AND fingerprint_config_id IS NOT NULL))
);

CREATE INDEX track_content_hash ON track (tenant_id, catalog_id, content_hash);
CREATE INDEX track_isrc ON track (tenant_id, catalog_id, isrc) WHERE isrc IS NOT NULL;

CREATE TABLE track_ref (
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  namespace  text NOT NULL,
  value      text NOT NULL,
  track_id   text NOT NULL,
  PRIMARY KEY (tenant_id, catalog_id, namespace, value),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

CREATE INDEX track_ref_track ON track_ref (tenant_id, catalog_id, track_id);

CREATE TABLE track_peaks (
  tenant_id             text NOT NULL,
  catalog_id            text NOT NULL,
  track_id              text NOT NULL,
  fingerprint_config_id text NOT NULL,
  duration_ms           bigint NOT NULL,
  peaks                 bytea NOT NULL,
  PRIMARY KEY (tenant_id, catalog_id, track_id),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

-- Rebuilds read in the order of track ids; verification asks for ids. Peaks are packed already.
CREATE INDEX track_peaks_track ON track_peaks (track_id);
ALTER TABLE track_peaks ALTER COLUMN peaks SET STORAGE EXTERNAL;
