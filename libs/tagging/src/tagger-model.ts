import type { Facet } from './ontology/concept.js';

/** Platt scaling: p = 1 / (1 + exp(-(a * logit + b))). */
export type Calibration = Readonly<{ a: number; b: number }>;

/** One output of a tagging model. */
export type TagHead = Readonly<{
  facet: Facet;
  tag: string;
  calibration: Calibration;
  /** On the probability, 0..1; at or above it the tag is said. */
  threshold: number;
  /** No labelled data, or none that proves it: not said unless asked for. */
  experimental: boolean;
}>;

/**
 * Which of two opposed moods is heard: log-odds of the first against the second, the weighted sum of a segment's logits and
 * an offset.
 */
export type MoodContrast = Readonly<{
  moods: readonly [first: string, second: string];
  /** One a tag of the model, in its order. */
  weights: readonly number[];
  offset: number;
}>;

/** What the interpretation of a model's outputs needs to know of it. */
export type TaggerModel = Readonly<{
  id: string;
  /** Semantic version; stored with everything that the model makes. */
  version: string;
  /** In the order of the logits. */
  tags: readonly TagHead[];
  embeddingSize: number;
  /** Contrasts that labelled data have proven; they decide where moods shift. */
  contrasts?: readonly MoodContrast[];
  /** Length of a segment. */
  windowMs: number;
  /** From the start of a segment to the start of the next. */
  hopMs: number;
}>;

/** Readable properties of a segment. */
export type SegmentDescriptors = Readonly<{
  /** Root mean square level, 0..1, linear. */
  energy: number;
  /** Centre of gravity of the spectrum, in hertz; 0 for silence. */
  brightnessHz: number;
  /** Onsets a second: how busy it feels, whatever the metre. */
  onsetRateHz: number;
  tempoFeel: 'still' | 'slow' | 'moderate' | 'fast';
  /** Share of it that lies under -60 dBFS RMS, by moments of 100 ms, 0..1; absent: none. */
  silentShare?: number;
  /** There is nothing but one sine, as in a test tone: no music. */
  bareTone?: true;
}>;

/** What a model heard in a track, segment by segment; segment k starts at k * hopMs. */
export type SegmentOutputs = Readonly<{
  /** Milliseconds of audio. */
  durationMs: number;
  /** Segments, at least 1. */
  count: number;
  /** Row-major [count, tags]; zeros where the segment is silent. */
  logits: Float32Array;
  /** Row-major [count, embeddingSize], not normalised; zeros where the segment is silent. */
  embeddings: Float32Array;
  /** Level of each segment in dBFS RMS, -Infinity for digital silence. */
  rmsDb: Float32Array;
  /** One a segment. */
  descriptors?: readonly SegmentDescriptors[];
}>;

/** RMS level under which a segment, or a moment of it, is silent. */
export const silenceRmsDb = -60;
/** Share of silent moments from which a segment is silent, whatever its level. */
const silentShareOfSilence = 0.5;

/** Whether a segment is silent: by its level in dBFS RMS, or for half of it or more. */
export function isSilent(rmsDb: number, descriptors?: SegmentDescriptors): boolean {
  return rmsDb < silenceRmsDb || (descriptors?.silentShare ?? 0) >= silentShareOfSilence;
}
