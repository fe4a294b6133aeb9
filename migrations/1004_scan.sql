-- Passes of files and recorded streams against the catalogs, with what they found and their own peaks.
CREATE TABLE scan (
  tenant_id   text NOT NULL REFERENCES tenant (id),
  id          text NOT NULL,
  catalog_ids text[] NOT NULL DEFAULT '{}',
  source      text NOT NULL,
  state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  duration_ms bigint,
  error_code  text,
  error_title text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);

-- Rows outlive their track: a report of the past stays as it was.
CREATE TABLE scan_match (
  tenant_id          text NOT NULL,
  catalog_id         text NOT NULL,
  scan_id            text NOT NULL,
  id                 text NOT NULL,
  ordinal            integer NOT NULL,
  track_id           text NOT NULL,
  path               text,
  title              text,
  query_start_ms     bigint NOT NULL,
  query_end_ms       bigint NOT NULL,
  reference_start_ms bigint NOT NULL,
  reference_end_ms   bigint NOT NULL,
  score              double precision NOT NULL,
  probability        double precision NOT NULL,
  speed_ratio        double precision NOT NULL,
  pitch_cents        double precision NOT NULL,
  role               text NOT NULL CHECK (role IN ('foreground', 'background', 'under-speech')),
  alternatives       jsonb,
  PRIMARY KEY (tenant_id, scan_id, ordinal),
  UNIQUE (tenant_id, catalog_id, id),
  FOREIGN KEY (tenant_id, scan_id) REFERENCES scan (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX scan_match_track ON scan_match (tenant_id, catalog_id, track_id);

CREATE TABLE scan_peaks (
  tenant_id             text NOT NULL,
  scan_id               text NOT NULL,
  fingerprint_config_id text NOT NULL,
  peaks                 bytea NOT NULL,
  started_at            timestamptz,
  gaps                  jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (tenant_id, scan_id),
  FOREIGN KEY (tenant_id, scan_id) REFERENCES scan (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE scan_peaks ALTER COLUMN peaks SET STORAGE EXTERNAL;
