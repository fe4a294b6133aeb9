import { facets, type TaggerModel } from '@earmark/tagging';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { parseManifestText, readManifestFile } from './manifest-file.js';

const key = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and single hyphens');
const semver = z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as 1.0.0');
const size = z.int().positive();
const share = z.number().min(0).max(1);

const frontEnd = z.object({
  sampleRateHz: size,
  fftSize: size,
  windowSamples: size,
  window: z.literal('hann-periodic'),
  hopSamples: size,
  framing: z.literal('left'),
  power: z.union([z.literal(1), z.literal(2)]),
  melBands: size,
  fMinHz: z.number().nonnegative(),
  fMaxHz: z.number().positive(),
  melScale: z.enum(['htk', 'slaney']),
  norm: z.enum(['none', 'slaney']),
  log: z.literal('natural'),
  logOffset: z.number().positive(),
});

const basis = z.enum(['development-set', 'teachers', 'exact-labels']);
const evaluation = z.object({
  set: z.string(),
  positives: z.int().nonnegative(),
  negatives: z.int().nonnegative(),
  rocAuc: share,
  rocAucLow: share,
  rocAucHigh: share,
  averagePrecision: share,
});

const tag = z.object({
  facet: z.enum(facets),
  tag: key,
  calibration: z.object({ kind: z.literal('platt'), a: z.number(), b: z.number() }),
  threshold: share,
  experimental: z.boolean(),
  basis,
  evaluation: evaluation.optional(),
});

const contrast = z.object({
  moods: z.tuple([key, key]),
  weights: z.array(z.number()),
  offset: z.number(),
  experimental: z.boolean(),
  basis,
  evaluation: evaluation.omit({ averagePrecision: true }).optional(),
});

const output = z.object({ name: z.string().min(1), size });

const manifest = z
  .object({
    schemaVersion: z.literal(1),
    kind: z.literal('tagger'),
    id: key,
    version: semver,
    file: z.string().regex(/^[\w.-]+\.onnx$/, 'the name of an .onnx file beside the manifest'),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
    bytes: size,
    parameters: size,
    frontEnd,
    input: z.object({ name: z.string().min(1), frames: size, bands: size, hopFrames: size }),
    outputs: z.object({ logits: output, embedding: output }),
    tags: z.array(tag).min(1),
    moodContrasts: z.array(contrast).optional(),
  })
  .refine(({ input, frontEnd: { melBands } }) => input.bands === melBands, {
    path: ['input', 'bands'],
    message: 'must equal frontEnd.melBands',
  })
  .refine(({ input }) => input.hopFrames * 2 === input.frames, {
    path: ['input', 'hopFrames'],
    message: 'must be half of input.frames',
  })
  .refine(({ outputs, tags }) => outputs.logits.size === tags.length, {
    path: ['outputs', 'logits', 'size'],
    message: 'must equal the number of tags',
  })
  .refine(({ tags }) => new Set(tags.map((one) => `${one.facet}/${one.tag}`)).size === tags.length, {
    path: ['tags'],
    message: 'a tag is listed twice',
  })
  .refine(
    ({ tags, moodContrasts = [] }) => moodContrasts.every(({ weights }) => weights.length === tags.length),
    { path: ['moodContrasts'], message: 'must have one weight a tag' },
  )
  .refine(
    ({ tags, moodContrasts = [] }) =>
      moodContrasts.every(({ moods }) =>
        moods.every((mood) => tags.some((one) => one.facet === 'mood' && one.tag === mood)),
      ),
    { path: ['moodContrasts'], message: 'must be of moods among the tags' },
  );

/** Manifest of a tagging model, schema version 1 (training/MANIFEST.md); more fields may be there. */
export type ModelManifest = Readonly<z.infer<typeof manifest>>;

/**
 * Names what a model computes whatever its calibration: SHA-256 of network, front end and shapes, 64 hexadecimal digits.
 * Models of one name hear the same.
 */
export function networkOf({ sha256, frontEnd, input, outputs }: ModelManifest): string {
  const parts = [sha256, frontEnd, input, outputs].map((part) => JSON.stringify(part));
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/**
 * Names all that decides what a model says: {@link networkOf}, tags, calibration, thresholds, contrasts. What is only told
 * about it (evaluation, training) may change under one version.
 */
export function voiceOf(manifest: ModelManifest): string {
  const heads = manifest.tags.map(({ facet, tag: name, calibration: { a, b }, threshold, experimental }) =>
    JSON.stringify([facet, name, a, b, threshold, experimental]),
  );
  const contrasts = (manifest.moodContrasts ?? []).map(({ moods, weights, offset, experimental }) =>
    JSON.stringify([moods, weights, offset, experimental]),
  );
  return createHash('sha256')
    .update([networkOf(manifest), ...heads, ...contrasts].join('\n'))
    .digest('hex');
}

/** What the interpretation of the model's outputs needs; contrasts that no labelled data have proven are left out. */
export function taggerModelOf(manifest: ModelManifest): TaggerModel {
  const { id, version, tags, outputs, input, frontEnd, moodContrasts = [] } = manifest;
  const frameMs = (frontEnd.hopSamples / frontEnd.sampleRateHz) * 1000;
  return {
    id,
    version,
    tags,
    embeddingSize: outputs.embedding.size,
    contrasts: moodContrasts.filter(({ experimental }) => !experimental),
    windowMs: input.frames * frameMs,
    hopMs: input.hopFrames * frameMs,
  };
}

/**
 * Reads and checks the manifest in a model's folder; the model itself is not touched.
 *
 * @throws {ModelError} `model.not-found` without one, `model.bad-manifest` for one that breaks the rules, each named
 */
export function readManifest(folder: string): Promise<ModelManifest> {
  return readManifestFile(folder, manifest);
}

/**
 * Checks the text of a manifest.
 *
 * @param folder named in errors
 * @throws {ModelError} `model.bad-manifest`
 */
export function parseManifest(text: string, folder: string): ModelManifest {
  return parseManifestText(text, folder, manifest);
}
