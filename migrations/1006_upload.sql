-- Resumable uploads; the bytes lie in files of the data folder, this says how many of them count.
CREATE TABLE upload (
  tenant_id    text NOT NULL REFERENCES tenant (id),
  id           text NOT NULL,
  file_name    text NOT NULL,
  length_bytes bigint NOT NULL CHECK (length_bytes > 0),
  offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND length_bytes),
  sha256       text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'complete')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);

CREATE INDEX upload_expiry ON upload (expires_at);
