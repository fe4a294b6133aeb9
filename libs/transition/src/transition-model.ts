import { ShapeError } from '@earmark/kernel';
import { featureLayout, featureSize, type Side } from './window-features.js';
import { modelDimensions, modelId, modelWeights } from './transition-model.generated.js';

/** Parts of a score that an explanation can name. */
export type Component = keyof typeof featureLayout;
/** All components, in the order of the feature row. */
export const components: readonly Component[] = ['timbre', 'dynamics', 'harmony', 'rhythm'];

/** How much a component adds to the score of a pair: the score less the score without it. */
export type Reason = Readonly<{ code: Component; value: number }>;

/** A trained pair of towers: feature rows of tails and heads to unit vectors whose cosine says how well they join. */
export interface TransitionModel {
  /** Id and version, stored with every embedding. */
  readonly id: string;
  readonly dimensions: number;
  /**
   * @param features row of WindowFeatures for that side
   * @param without leaves a component out, as if it were average
   * @returns unit vector of `dimensions` values
   * @throws {ShapeError} if the row has another length
   */
  embed(features: Float32Array, side: Side, without?: Component): Float32Array;
}

/**
 * Two linear towers: each side's features less their own mean, through one projection in which differences between a tail
 * and its true continuation (gain, EQ and tempo changed) have unit spread and other differences are as large as possible.
 */
export class LinearTowers implements TransitionModel {
  readonly dimensions: number;

  /**
   * @param means `2 * featureSize` values: of tails, then of heads
   * @param projection row-major [featureSize, dimensions]
   */
  constructor(
    readonly id: string,
    private readonly means: Float32Array,
    private readonly projection: Float32Array,
  ) {
    if (means.length !== 2 * featureSize)
      throw new ShapeError('means', `${2 * featureSize} values`, means.length);
    this.dimensions = projection.length / featureSize;
  }

  embed(features: Float32Array, side: Side, without?: Component): Float32Array {
    if (features.length !== featureSize)
      throw new ShapeError('features', `${featureSize} values`, features.length);
    const { dimensions, means, projection } = this;
    const out = new Float32Array(dimensions);
    const offset = side === 'tail' ? 0 : featureSize;
    const skip = without === undefined ? { start: 0, size: 0 } : featureLayout[without];
    for (let f = 0; f < featureSize; f++) {
      if (f >= skip.start && f < skip.start + skip.size) continue;
      const value = features[f] - means[offset + f];
      for (let d = 0; d < dimensions; d++) out[d] += value * projection[f * dimensions + d];
    }
    let norm = 1e-12;
    for (const value of out) norm += value * value;
    const scale = 1 / Math.sqrt(norm);
    for (let d = 0; d < dimensions; d++) out[d] *= scale;
    return out;
  }
}

/** The model that comes with this version, made by training/transition/fit_towers.py. */
export function builtInModel(): TransitionModel {
  const values = decode(modelWeights);
  if (values.length !== featureSize * (2 + modelDimensions)) {
    throw new ShapeError('modelWeights', `${featureSize * (2 + modelDimensions)} values`, values.length);
  }
  return new LinearTowers(modelId, values.subarray(0, 2 * featureSize), values.subarray(2 * featureSize));
}

/** Decodes base64 of little-endian float32. */
function decode(text: string): Float32Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
