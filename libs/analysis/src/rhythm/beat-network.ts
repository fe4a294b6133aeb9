import { hypothesisFeatures } from './beat-hypothesis.js';
import { patternSize, patternSpectrumSize } from './beat-pattern.js';

/** Values of one row that {@link BeatNetwork.scoreTrains} takes: features of a hypothesis, then what its pattern repeats. */
export const trainRowSize = hypothesisFeatures + patternSpectrumSize;
/** Values of one row that {@link BeatNetwork.scoreDownbeats} takes: the pattern, then log2 of the tempo against 120 BPM. */
export const downbeatRowSize = patternSize + 1;

/**
 * The trained half of beat tracking. Analysis prepares what it hears and understands what it answers; whoever owns a
 * runtime runs it.
 */
export interface BeatNetwork {
  /**
   * Judges trains of beats.
   *
   * @param rows row-major [trains, {@link trainRowSize}]
   * @param siblings what {@link beatSiblings} says of the trains
   * @returns a score a train; the softmax over the trains of a recording is the probability that it is the written beat
   */
  scoreTrains(rows: Float32Array, siblings: Int32Array, trains: number): Promise<Float32Array>;
  /**
   * Judges the beats of one train.
   *
   * @param rows row-major [beats, {@link downbeatRowSize}]
   * @returns a logit a beat: that it begins a bar
   */
  scoreDownbeats(rows: Float32Array, beats: number): Promise<Float32Array>;
}
