-- Keys of the REST interface. Only the SHA-256 of a secret is kept.
CREATE TABLE api_key (
  tenant_id    text NOT NULL REFERENCES tenant (id),
  id           text NOT NULL,
  name         text NOT NULL,
  secret_hash  bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
  scopes       text[] NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  revoked_at   timestamptz,
  PRIMARY KEY (tenant_id, id)
);
