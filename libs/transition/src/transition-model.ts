import { ShapeError } from '@earmark/kernel';
import { meetingOfPulses } from './pulse.js';
import type { Side } from './side.js';
import type { Component, TransitionModelSpec } from './transition-model-spec.js';
import { modelSpec, modelWeights } from './transition-model.generated.js';
import { featureLayout, featureSize } from './window-features.js';

/** Cosine of each component of a pair, -1..1, in the order of {@link TransitionModel.components}. */
export type ComponentCosines = Float64Array;

/**
 * A trained pair of towers and a re-ranker. A window becomes a code: a search vector of unit length, whose dot product
 * with another says roughly how well two windows join, then the border values that decisions need, then those
 * of continuity, key and pulse. All that follows (score, explanation, decision) reads codes, so that no features need to be kept for it.
 */
export interface TransitionModel {
  /** `id@version`, stored with every code. */
  readonly id: string;
  readonly components: readonly Component[];
  /** Values of the search vector: the first ones of a code. */
  readonly dimensions: number;
  /** Values of a code. */
  readonly codeSize: number;
  /** Pairs below this score should not be mixed, 0..1. */
  readonly leastScore: number;
  /**
   * @param features row of WindowFeatures for that side
   * @returns code of `codeSize` values
   * @throws {ShapeError} if the row has another length
   */
  embed(features: Float32Array, side: Side): Float32Array;
  /** Cosines of the components of a pair of codes. */
  cosines(tail: Float32Array, head: Float32Array): ComponentCosines;
  /**
   * How sure it is that the head can follow the tail, 0..1.
   *
   * @param without components that are left out: the mean score over what unrelated music has in their place
   */
  score(tail: Float32Array, head: Float32Array, without?: readonly Component[]): number;
  /** {@link TransitionModel.score} of a pair with these cosines. */
  scoreOf(cosines: ComponentCosines, without?: readonly Component[]): number;
}

type Tower = Readonly<{
  start: number;
  inputs: number;
  dimensions: number;
  at: number;
  scale: number;
  /** Cosine of two vectors of this tower in units of their product. */
  squaredScale: number;
  /** Of tails, then of heads. */
  means: Float32Array;
  /** Row-major [inputs, dimensions]. */
  projection: Float32Array;
}>;

/**
 * Towers of one linear map each, compared by cosine; key and pulse, compared as they are; a small re-ranker on all these, and a
 * bonus for continuity.
 */
export class ComponentTowers implements TransitionModel {
  readonly id: string;
  readonly components: readonly Component[];
  readonly dimensions: number;
  readonly codeSize: number;
  readonly leastScore: number;
  private readonly towers: readonly Tower[];
  private readonly continuityAt: number;
  private readonly keyAt: number;
  private readonly pulseAt: number;
  /** Places of the towers whose agreement lets continuity count. */
  private readonly agreeing: readonly number[];
  /** Of each component. */
  private readonly nullCosines: readonly (readonly number[])[];
  /** Weights of the hidden layer, row-major [hidden, components]. */
  private readonly hidden: Float64Array;
  /** Cosines of the pair that is scored: a search scores hundreds of pairs. */
  private readonly scored: ComponentCosines;

  /**
   * @param weights for each tower: means of tails, means of heads, projection row-major [inputs, dimensions]
   * @throws {ShapeError} if the weights do not fit
   */
  constructor(
    private readonly spec: TransitionModelSpec,
    weights: Float32Array,
  ) {
    this.id = `${spec.id}@${spec.version}`;
    this.leastScore = spec.leastScore;
    this.components = [...spec.towers.map(({ component }) => component), 'key', 'pulse', 'continuity'];
    this.nullCosines = [...spec.towers, spec.key, spec.pulse, spec.continuity].map(
      ({ nullCosines }) => nullCosines,
    );
    this.hidden = Float64Array.from(spec.reranker.hidden.flat());
    this.scored = new Float64Array(this.components.length);
    this.agreeing = spec.towers.flatMap(({ component }, i) => (component === 'seam' ? [] : [i]));
    let [at, read] = [0, 0];
    this.towers = spec.towers.map(({ component, dimensions, weight }) => {
      const { start, size: inputs } = featureLayout[component];
      const means = weights.subarray(read, read + 2 * inputs);
      const projection = weights.subarray(read + 2 * inputs, read + inputs * (2 + dimensions));
      const scale = Math.sqrt(weight);
      const tower = { start, inputs, dimensions, at, scale, squaredScale: scale * scale, means, projection };
      read += inputs * (2 + dimensions);
      at += dimensions;
      return tower;
    });
    if (read !== weights.length) throw new ShapeError('weights', `${read} values`, weights.length);
    this.dimensions = at;
    this.continuityAt = at + featureLayout.border.size;
    this.keyAt = this.continuityAt + featureLayout.continuity.size;
    this.pulseAt = this.keyAt + featureLayout.key.size;
    this.codeSize = this.pulseAt + featureLayout.pulse.size;
  }

  embed(features: Float32Array, side: Side): Float32Array {
    if (features.length !== featureSize)
      throw new ShapeError('features', `${featureSize} values`, features.length);
    const out = new Float32Array(this.codeSize);
    for (const tower of this.towers) project(tower, features, side, out);
    // Border, continuity, key and pulse lie in a row as in a code.
    out.set(features.subarray(featureLayout.border.start), this.dimensions);
    return out;
  }

  cosines(tail: Float32Array, head: Float32Array): ComponentCosines {
    return this.compare(tail, head, new Float64Array(this.components.length));
  }

  score(tail: Float32Array, head: Float32Array, without: readonly Component[] = []): number {
    return this.scoreOf(this.compare(tail, head, this.scored), without);
  }

  scoreOf(cosines: ComponentCosines, without: readonly Component[] = []): number {
    if (without.length === 0) return this.chance(cosines);
    const places = without.map((component) => this.components.indexOf(component));
    const replaced = cosines.slice();
    const draws = this.nullCosines[0].length;
    let sum = 0;
    for (let k = 0; k < draws; k++) {
      for (const i of places) replaced[i] = this.nullCosines[i][k];
      sum += this.chance(replaced);
    }
    return sum / draws;
  }

  private compare(tail: Float32Array, head: Float32Array, out: ComponentCosines): ComponentCosines {
    const { codeSize, towers } = this;
    if (tail.length !== codeSize || head.length !== codeSize)
      throw new ShapeError(
        'code',
        `${codeSize} values`,
        tail.length === codeSize ? head.length : tail.length,
      );
    for (let i = 0; i < towers.length; i++) {
      const { at, dimensions, squaredScale } = towers[i];
      out[i] = product(tail, head, at, dimensions) / squaredScale;
    }
    out[towers.length] = product(tail, head, this.keyAt, featureLayout.key.size);
    out[towers.length + 1] = meetingOfPulses(tail, head, this.pulseAt);
    out[towers.length + 2] = product(tail, head, this.continuityAt, featureLayout.continuity.size);
    return out;
  }

  private chance(cosines: ComponentCosines): number {
    const { hiddenBias, output, linear, bias } = this.spec.reranker;
    const { hidden } = this;
    const count = linear.length;
    let logit = bias;
    for (let i = 0; i < count; i++) logit += linear[i] * cosines[i];
    for (let h = 0; h < output.length; h++) {
      let sum = hiddenBias[h];
      for (let i = 0; i < count; i++) sum += hidden[h * count + i] * cosines[i];
      logit += output[h] * Math.tanh(sum);
    }
    return 1 / (1 + Math.exp(-logit - this.bonus(cosines)));
  }

  /** What continuity adds to the log-odds. */
  private bonus(cosines: ComponentCosines): number {
    const { gain, threshold, agreement } = this.spec.continuity;
    const above = cosines[cosines.length - 1] - threshold;
    if (above <= 0) return 0;
    const [low, high] = agreement;
    let sum = 0;
    for (const i of this.agreeing) sum += cosines[i];
    const mean = sum / this.agreeing.length;
    return gain * above * Math.max(0, Math.min(1, (mean - low) / (high - low)));
  }
}

/** Dot product of the values of two codes from a place on. */
function product(tail: Float32Array, head: Float32Array, at: number, size: number): number {
  let sum = 0;
  for (let d = at; d < at + size; d++) sum += tail[d] * head[d];
  return sum;
}

function project(tower: Tower, features: Float32Array, side: Side, out: Float32Array): void {
  const { start, inputs, dimensions, at, scale, means, projection } = tower;
  const offset = side === 'tail' ? 0 : inputs;
  for (let f = 0; f < inputs; f++) {
    const value = features[start + f] - means[offset + f];
    for (let d = 0; d < dimensions; d++) out[at + d] += value * projection[f * dimensions + d];
  }
  let norm = 1e-12;
  for (let d = at; d < at + dimensions; d++) norm += out[d] * out[d];
  for (let d = at; d < at + dimensions; d++) out[d] *= scale / Math.sqrt(norm);
}

/** The model that comes with this version, made by training/transition. */
export function builtInModel(): TransitionModel {
  return new ComponentTowers(modelSpec, decode(modelWeights));
}

/** Decodes base64 of little-endian float32. */
function decode(text: string): Float32Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
