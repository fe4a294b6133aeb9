-- Answers to writes that carried an Idempotency-Key, so that a repeat gets the first answer.
CREATE TABLE idempotency (
  tenant_id    text NOT NULL REFERENCES tenant (id),
  key          text NOT NULL,
  request_hash text NOT NULL,
  status       integer,
  headers      jsonb,
  body         text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, key)
);

CREATE INDEX idempotency_age ON idempotency (created_at);
