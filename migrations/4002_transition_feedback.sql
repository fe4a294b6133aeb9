-- What listeners did at a transition, each event and the sums of a pair.
CREATE TABLE transition_feedback (
  sequence      bigserial PRIMARY KEY,
  tenant_id     text NOT NULL,
  from_track_id text NOT NULL,
  to_track_id   text NOT NULL,
  outcome       text NOT NULL CHECK (outcome IN ('skip', 'complete')),
  session       text,
  created_at    timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (tenant_id, from_track_id) REFERENCES track (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, to_track_id) REFERENCES track (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX transition_feedback_session ON transition_feedback (tenant_id, session, sequence) WHERE session IS NOT NULL;
CREATE INDEX transition_feedback_to ON transition_feedback (tenant_id, to_track_id);

CREATE TABLE transition_pair (
  tenant_id     text NOT NULL,
  from_track_id text NOT NULL,
  to_track_id   text NOT NULL,
  skips         integer NOT NULL DEFAULT 0,
  completes     integer NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, from_track_id, to_track_id),
  FOREIGN KEY (tenant_id, from_track_id) REFERENCES track (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, to_track_id) REFERENCES track (tenant_id, id) ON DELETE CASCADE
);

CREATE INDEX transition_pair_to ON transition_pair (tenant_id, to_track_id);
CREATE INDEX transition_feedback_from ON transition_feedback (tenant_id, from_track_id);
