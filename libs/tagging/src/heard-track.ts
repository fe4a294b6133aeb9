import { ShapeError } from '@earmark/kernel';
import { isSilent, type SegmentOutputs, type TaggerModel } from './tagger-model.js';

/** Share of a threshold down to which a tag, once said, goes on. */
const holdShare = 0.8;

/**
 * A model's outputs made into probabilities: what is silent, speech and music, smoothed scores a segment, scores of the
 * whole track.
 */
export class HeardTrack {
  readonly tagCount: number;
  /** A segment below -60 dBFS RMS, as a whole or for half of it. */
  readonly silent: readonly boolean[];
  /** A segment with speech. */
  readonly speech: readonly boolean[];
  /** A segment with music; all that is not silent when the model cannot tell; never a bare tone. */
  readonly music: readonly boolean[];
  /** Probability per segment, row-major [count, tags], smoothed over neighbours with music; 0 in silence. */
  segmentScores: Float64Array;
  /** Calibrated log-odds per segment, row-major [count, tags], not smoothed. */
  readonly logOdds: Float64Array;
  /** Probability per tag for the track. */
  readonly trackScores: Float64Array;

  /** @throws {ShapeError} if the outputs are not the model's */
  constructor(
    readonly model: TaggerModel,
    readonly outputs: SegmentOutputs,
  ) {
    const { count, logits, embeddings, rmsDb } = outputs;
    this.tagCount = model.tags.length;
    if (logits.length !== count * this.tagCount)
      throw new ShapeError('logits', `[${count}, ${this.tagCount}]`, logits.length);
    if (embeddings.length !== count * model.embeddingSize)
      throw new ShapeError('embeddings', `[${count}, ${model.embeddingSize}]`, embeddings.length);
    if (rmsDb.length !== count) throw new ShapeError('rmsDb', `[${count}]`, rmsDb.length);
    this.silent = Array.from(rmsDb, (level, k) => isSilent(level, outputs.descriptors?.[k]));
    this.logOdds = this.#calibrated();
    this.speech = this.#active('speech', false);
    this.music = this.#active('music', true).map(
      (music, k) => music && outputs.descriptors?.[k].bareTone !== true,
    );
    this.segmentScores = this.#segmentScores();
    this.trackScores = this.#trackScores();
  }

  /** Probability of tag `t` in segment `k`. */
  scoreAt(k: number, t: number): number {
    return this.segmentScores[k * this.tagCount + t];
  }

  /** Segments with music, in order. */
  get musicSegments(): readonly number[] {
    return this.#where(this.music);
  }

  /** Index of a tag among the logits; -1 if the model lacks it. */
  indexOf(facet: string, tag: string): number {
    return this.model.tags.findIndex((head) => head.facet === facet && head.tag === tag);
  }

  /** Whether tag `t` is said of each segment: from its threshold on, and while it stays close to it. */
  saidOf(t: number): readonly boolean[] {
    const { threshold } = this.model.tags[t];
    let on = false;
    return Array.from({ length: this.outputs.count }, (_, k) => {
      const score = this.scoreAt(k, t);
      on = this.music[k] && score >= (on ? holdShare * threshold : threshold);
      return on;
    });
  }

  /**
   * Adds to log-odds of segments and smooths anew.
   *
   * @param changes by `k * tagCount + t`
   */
  adjust(changes: ReadonlyMap<number, number>): void {
    if (changes.size === 0) return;
    for (const [at, change] of changes) this.logOdds[at] += change;
    this.segmentScores = this.#segmentScores();
  }

  /** Mean embedding of the segments with music (of all that sound, if there is none); zeros for silence. */
  meanEmbedding(): Float32Array {
    const { embeddingSize } = this.model;
    const mean = new Float32Array(embeddingSize);
    const segments = this.#representative();
    for (const k of segments) {
      for (let i = 0; i < embeddingSize; i++)
        mean[i] += this.outputs.embeddings[k * embeddingSize + i] / segments.length;
    }
    return mean;
  }

  #active(tag: 'speech' | 'music', otherwise: boolean): readonly boolean[] {
    const t = this.indexOf('activity', tag);
    return this.silent.map((silent, k) => {
      if (silent) return false;
      if (t < 0) return otherwise;
      const value = tag === 'music' ? this.#lasting(k, t) : this.logOdds[k * this.tagCount + t];
      return 1 / (1 + Math.exp(-value)) >= this.model.tags[t].threshold;
    });
  }

  /** Log-odds of what lasts longer than a segment: the mean 1:2:1 with neighbours that are not silent. */
  #lasting(k: number, t: number): number {
    const { silent, logOdds, tagCount } = this;
    const before = silent[k - 1] === false ? 1 : 0;
    const after = silent[k + 1] === false ? 1 : 0;
    let sum = 2 * logOdds[k * tagCount + t];
    if (before) sum += logOdds[(k - 1) * tagCount + t];
    if (after) sum += logOdds[(k + 1) * tagCount + t];
    return sum / (2 + before + after);
  }

  #calibrated(): Float64Array {
    const { tagCount } = this;
    return Float64Array.from(this.outputs.logits, (logit, i) => {
      const { a, b } = this.model.tags[i % tagCount].calibration;
      return a * logit + b;
    });
  }

  /** Speech stays as it is; everything else is averaged 1:2:1 with neighbours, tags with those that have music too. */
  #segmentScores(): Float64Array {
    const { tagCount, logOdds, music, silent } = this;
    const scores = new Float64Array(logOdds.length);
    const musicAt = this.indexOf('activity', 'music');
    const isActivity = this.model.tags.map(({ facet }) => facet === 'activity');
    for (let k = 0; k < this.outputs.count; k++) {
      if (silent[k]) continue;
      const before = music[k] && k > 0 && music[k - 1] ? 1 : 0;
      const after = music[k] && music[k + 1] ? 1 : 0;
      for (let t = 0; t < tagCount; t++) {
        const at = k * tagCount + t;
        let value = t === musicAt ? this.#lasting(k, t) : logOdds[at];
        if (!isActivity[t] && before + after > 0) {
          const left = before ? logOdds[at - tagCount] : 0;
          const right = after ? logOdds[at + tagCount] : 0;
          value = (2 * value + left + right) / (2 + before + after);
        }
        scores[at] = 1 / (1 + Math.exp(-value));
      }
    }
    return scores;
  }

  #trackScores(): Float64Array {
    const scores = new Float64Array(this.tagCount);
    const musical = this.#representative();
    const audible = this.#where(this.silent.map((silent) => !silent));
    for (let t = 0; t < this.tagCount; t++) {
      const segments = this.model.tags[t].facet === 'activity' ? audible : musical;
      if (segments.length === 0) continue;
      let sum = 0;
      for (const k of segments) sum += this.logOdds[k * this.tagCount + t];
      scores[t] = 1 / (1 + Math.exp(-sum / segments.length));
    }
    return scores;
  }

  #representative(): readonly number[] {
    const musical = this.musicSegments;
    return musical.length > 0 ? musical : this.#where(this.silent.map((silent) => !silent));
  }

  #where(flags: readonly boolean[]): readonly number[] {
    return flags.flatMap((flag, k) => (flag ? [k] : []));
  }
}
