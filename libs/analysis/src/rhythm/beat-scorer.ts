import { ShapeError } from '@earmark/kernel';
import { beatWeights } from './beat-weights.generated.js';

/**
 * Scores one way to hear the beat: a linear model of its features, trained (training/beat) on renders of scored music to
 * prefer the hypothesis whose beats match the score. The exponential is proportional to its probability among the
 * hypotheses of one recording.
 *
 * @throws {ShapeError} if the number of features is not the model's
 */
export function scoreHypothesis(features: Float64Array): number {
  if (features.length !== beatWeights.length) {
    throw new ShapeError('features', `${beatWeights.length} values`, features.length);
  }
  let sum = 0;
  for (let i = 0; i < features.length; i++) sum += beatWeights[i] * features[i];
  return sum;
}
