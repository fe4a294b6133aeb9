-- Queued work: leased by workers, cancelled by a flag, resumed after a lost worker.
CREATE TABLE job (
  tenant_id        text NOT NULL REFERENCES tenant (id),
  id               text NOT NULL,
  catalog_id       text,
  kind             text NOT NULL,
  payload          jsonb NOT NULL,
  state            text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  stage            text NOT NULL DEFAULT 'queued',
  done             bigint NOT NULL DEFAULT 0,
  total            bigint NOT NULL DEFAULT 0,
  cancel_requested boolean NOT NULL DEFAULT false,
  attempts         integer NOT NULL DEFAULT 0,
  max_attempts     integer NOT NULL DEFAULT 3,
  run_at           timestamptz NOT NULL DEFAULT now(),
  leased_by        text,
  leased_until     timestamptz,
  result           jsonb,
  error_code       text,
  error_title      text,
  created_at       timestamptz NOT NULL DEFAULT now(),
  finished_at      timestamptz,
  PRIMARY KEY (tenant_id, id)
);

-- What a worker may take, oldest first: due work, and work whose worker was lost.
CREATE INDEX job_due ON job (run_at) WHERE state = 'queued';
CREATE INDEX job_leased ON job (leased_until) WHERE state = 'running';
