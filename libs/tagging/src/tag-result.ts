import type { Facet, Localized } from './ontology/concept.js';
import type { ScoredRange, TimeRange } from './segment-grid.js';
import type { SegmentDescriptors } from './tagger-model.js';

/** A tag with its calibrated probability, 0..1. */
export type ScoredTag = Readonly<{ facet: Facet; tag: string; score: number }>;

/** A tag of a track, and where it holds. */
export type TrackTag = ScoredTag & Readonly<{ segments: readonly ScoredRange[] }>;

/** Calibrated probability of every tag of a model, by facet and tag. */
export type AllScores = Readonly<Partial<Record<Facet, Readonly<Record<string, number>>>>>;

/** Moods or tags that lie too close to be told apart; nothing is said of them. */
export type Ambiguity = Readonly<{
  facet: Facet;
  candidates: readonly Readonly<{ tag: string; score: number }>[];
}>;

/** One segment of a track, as long as the model's window. */
export type TaggedSegment = TimeRange &
  Readonly<{
    tags: readonly ScoredTag[];
    ambiguous?: readonly Ambiguity[];
    descriptors?: SegmentDescriptors;
    scores?: AllScores;
  }>;

/** A moment at which the mood turns into its opposite. */
export type MoodShift = Readonly<{
  atMs: number;
  /** Moods before, the strongest first. */
  from: readonly string[];
  /** Moods after. */
  to: readonly string[];
  /** Absent in what an earlier version stored. */
  sentence?: Localized;
}>;

/** Everything that is said of a track; the line of `earmark tag --json` but for the path. */
export type TagResult = Readonly<{
  durationMs: number;
  model: Readonly<{ id: string; version: string }>;
  ontology: Readonly<{ id: string; version: string }>;
  /** By facet, the strongest first. */
  tags: readonly TrackTag[];
  segments: readonly TaggedSegment[];
  /** In time order. */
  shifts: readonly MoodShift[];
  ambiguous: readonly Ambiguity[];
  /** One sentence on the whole track: "calm piano; from 1:12 tense strings". */
  sentence: Localized;
  /** Present when all is asked for. */
  scores?: AllScores;
  /** Mean over the segments with music, not normalised; zeros for silence. Present when all is asked for. */
  embedding?: readonly number[];
}>;
