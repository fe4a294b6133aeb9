-- Ordered changes that indexes follow. Rows outlive their track, so there is no foreign key.
CREATE TABLE outbox (
  sequence   bigserial PRIMARY KEY,
  op         text NOT NULL CHECK (op IN ('add', 'remove')),
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  track_id   text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- How far each index has applied them.
CREATE TABLE outbox_position (
  consumer   text PRIMARY KEY,
  sequence   bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
