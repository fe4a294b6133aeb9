import type { FeatureGroup } from './window-features.js';

/** Parts of a score that an explanation can name. */
export type Component = Exclude<FeatureGroup, 'border'>;

/** Shape and numbers of a model beside its towers. */
export type TransitionModelSpec = Readonly<{
  id: string;
  version: string;
  /** Towers, in the order of their blocks in a code. */
  towers: readonly Readonly<{
    component: Component;
    dimensions: number;
    /** Share of the squared length of a search vector; all sum to 1. */
    weight: number;
    /** Cosines of pairs that have nothing to do with each other, evenly spread over their distribution. */
    nullCosines: readonly number[];
  }>[];
  /**
   * What continuity adds to the log-odds: `gain` for each unit of its cosine above `threshold`, as far as the mean cosine of all
   * towers but the seam's lies between the bounds of `agreement`. It has no tower: its features are compared as they are.
   */
  continuity: Readonly<{
    gain: number;
    threshold: number;
    agreement: readonly [number, number];
    nullCosines: readonly number[];
  }>;
  /** Key and pulse have no tower either: the re-ranker reads how they compare. */
  key: Readonly<{ nullCosines: readonly number[] }>;
  pulse: Readonly<{ nullCosines: readonly number[] }>;
  /** Re-ranker: cosines of towers, then key and pulse, through one hidden layer of tanh, beside a linear path, to log-odds. */
  reranker: Readonly<{
    hidden: readonly (readonly number[])[];
    hiddenBias: readonly number[];
    output: readonly number[];
    linear: readonly number[];
    bias: number;
  }>;
  /** Pairs below this score should not be mixed. */
  leastScore: number;
}>;
