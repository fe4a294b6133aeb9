-- Tagging models that have been used here, and which one speaks for a tenant; the latest promotion counts.
CREATE TABLE model_version (
  id         text NOT NULL,
  version    text NOT NULL,
  sha256     text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  manifest   jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, version)
);

CREATE TABLE model_promotion (
  sequence      bigserial PRIMARY KEY,
  tenant_id     text NOT NULL REFERENCES tenant (id),
  model_id      text NOT NULL,
  model_version text NOT NULL,
  promoted_at   timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (model_id, model_version) REFERENCES model_version (id, version)
);

CREATE INDEX model_promotion_tenant ON model_promotion (tenant_id, sequence);

-- What one version of a model says of a track; several versions stand side by side.
CREATE TABLE track_tagging (
  tenant_id          text NOT NULL,
  catalog_id         text NOT NULL,
  track_id           text NOT NULL,
  model_id           text NOT NULL,
  model_version      text NOT NULL,
  ontology_version   text NOT NULL,
  duration_ms        bigint NOT NULL CHECK (duration_ms >= 0),
  segments           jsonb NOT NULL,
  shifts             jsonb NOT NULL,
  ambiguous          jsonb NOT NULL,
  sentence           jsonb NOT NULL,
  -- Mean over the segments with music: float32, little endian, not normalised.
  embedding          bytea NOT NULL,
  -- One a segment: int8, of unit length times 127.
  segment_embeddings bytea,
  -- Means over the segments that sound; NULL for silence.
  energy             double precision,
  brightness_hz      double precision,
  onset_rate_hz      double precision,
  created_at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog_id, track_id, model_id, model_version),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE,
  FOREIGN KEY (model_id, model_version) REFERENCES model_version (id, version)
);

CREATE INDEX track_tagging_model ON track_tagging (model_id, model_version, track_id);
ALTER TABLE track_tagging ALTER COLUMN embedding SET STORAGE EXTERNAL;
ALTER TABLE track_tagging ALTER COLUMN segment_embeddings SET STORAGE EXTERNAL;

CREATE TABLE track_tag (
  tenant_id     text NOT NULL,
  catalog_id    text NOT NULL,
  track_id      text NOT NULL,
  model_id      text NOT NULL,
  model_version text NOT NULL,
  facet         text NOT NULL,
  tag           text NOT NULL,
  score         double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
  PRIMARY KEY (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag),
  FOREIGN KEY (tenant_id, catalog_id, track_id, model_id, model_version)
    REFERENCES track_tagging (tenant_id, catalog_id, track_id, model_id, model_version) ON DELETE CASCADE
);

CREATE INDEX track_tag_search ON track_tag (tenant_id, facet, tag, score);

-- Where a tag holds: neighbouring segments joined.
CREATE TABLE segment_tag (
  tenant_id     text NOT NULL,
  catalog_id    text NOT NULL,
  track_id      text NOT NULL,
  model_id      text NOT NULL,
  model_version text NOT NULL,
  facet         text NOT NULL,
  tag           text NOT NULL,
  start_ms      bigint NOT NULL CHECK (start_ms >= 0),
  end_ms        bigint NOT NULL,
  score         double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
  PRIMARY KEY (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag, start_ms),
  FOREIGN KEY (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag)
    REFERENCES track_tag (tenant_id, catalog_id, track_id, model_id, model_version, facet, tag) ON DELETE CASCADE,
  CHECK (end_ms >= start_ms)
);

-- What people say. It outlives every model and overrules it.
CREATE TABLE tag_verdict (
  tenant_id  text NOT NULL,
  catalog_id text NOT NULL,
  track_id   text NOT NULL,
  facet      text NOT NULL,
  tag        text NOT NULL,
  verdict    text NOT NULL CHECK (verdict IN ('confirmed', 'rejected')),
  author     text NOT NULL,
  decided_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, catalog_id, track_id, facet, tag),
  FOREIGN KEY (tenant_id, catalog_id, track_id) REFERENCES track (tenant_id, catalog_id, id) ON DELETE CASCADE
);

CREATE INDEX tag_verdict_search ON tag_verdict (tenant_id, facet, tag);

-- The model's tags under the verdicts of people: rejected ones are gone, confirmed ones are certain.
CREATE VIEW effective_tag AS
SELECT t.tenant_id, t.catalog_id, t.track_id, t.model_id, t.model_version, t.facet, t.tag, t.score
  FROM track_tag t
 WHERE NOT EXISTS (
         SELECT FROM tag_verdict v
          WHERE v.tenant_id = t.tenant_id AND v.catalog_id = t.catalog_id AND v.track_id = t.track_id
            AND v.facet = t.facet AND v.tag = t.tag)
UNION ALL
SELECT g.tenant_id, g.catalog_id, g.track_id, g.model_id, g.model_version, v.facet, v.tag, 1::double precision
  FROM track_tagging g
  JOIN tag_verdict v USING (tenant_id, catalog_id, track_id)
 WHERE v.verdict = 'confirmed';
