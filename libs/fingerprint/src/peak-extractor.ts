import { PeakList, SpectralPeaks } from '@earmark/dsp';
import { fingerprintConfig as config } from './config.js';
import type { Peaks } from './peaks.js';
import { SpectrumRecorder } from './spectrum.js';

/** Steps of the values that {@link Peaks} holds. */
export const quantum = { frame: 1 / 8, pitch: 1 / 32, levelDb: 1 } as const;

const bandOfBin = new Uint8Array(config.lastBin);
for (let bin = 0; bin < config.lastBin; bin++)
  bandOfBin[bin] = config.bandBorders.filter((border) => bin >= border).length;

/**
 * Turns mono audio at 11,025 Hz into {@link Peaks}, block by block. Memory grows only by the peaks kept.
 *
 * Each band and second keeps the `queryQuota` most salient peaks, so that no loud interferer in one band can take them
 * all. One extraction serves both sides: `limitDensity(peaks, indexQuota)` gives what a reference stores. At query density
 * a recording of up to a minute keeps its spectrum, too, for the verification in noise.
 */
export class PeakExtractor {
  private readonly finder = new SpectralPeaks({
    fftSize: config.fftSize,
    hopSamples: config.hopSamples,
    binRadius: config.radiusBins,
    frameRadius: config.radiusFrames,
    minBin: config.firstBin,
    maxBin: config.lastBin,
  });
  /** Local maxima that wait for their second to end. */
  private readonly raw = new PeakList();
  private readonly out = new GrowingPeaks();
  private readonly spectrum: SpectrumRecorder | undefined;
  private samples = 0;
  private cell = 0;
  /** Peaks at the start of `raw` whose second is over: only rivals of later ones. */
  private done = 0;

  /** @param quota peaks kept a band and second, at most 16 */
  constructor(private readonly quota: number = config.queryQuota) {
    if (quota >= config.queryQuota) this.spectrum = new SpectrumRecorder();
  }

  /** @param block mono samples, -1 .. 1, any number */
  push(block: Float32Array): void {
    this.samples += block.length;
    this.spectrum?.push(block);
    this.finder.process(block, this.raw);
    this.closeCells(config.dominanceFrames + 1);
  }

  /** Ends the recording; the extractor starts anew. */
  finish(): Peaks {
    this.finder.flush(this.raw);
    this.closeCells(-Infinity);
    const frames = Math.max(0, Math.floor((this.samples - config.fftSize) / config.hopSamples) + 1);
    this.raw.clear();
    this.samples = 0;
    this.cell = 0;
    this.done = 0;
    const spectrum = this.spectrum?.finish(frames);
    const peaks = this.out.take(frames);
    return spectrum ? { ...peaks, spectrum } : peaks;
  }

  /** Closes the seconds that ended `margin` frames before the last peak, so that all their rivals are known. */
  private closeCells(margin: number): void {
    const { raw } = this;
    while (this.done < raw.length) {
      this.cell = Math.max(this.cell, Math.floor(raw.frame[this.done] / config.quotaFrames));
      const end = (this.cell + 1) * config.quotaFrames;
      if (raw.frame[raw.length - 1] < end + margin) break;
      let to = this.done;
      while (to < raw.length && raw.frame[to] < end) to++;
      this.closeCell(this.done, to);
      this.done = to;
      this.cell++;
    }
    this.dropFarRivals();
  }

  /** Ranks the peaks at `from` to `to` of one second and keeps the best of each band. */
  private closeCell(from: number, to: number): void {
    const { raw, quota } = this;
    const dominant = new Uint8Array(to - from);
    for (let i = from; i < to; i++) dominant[i - from] = isDominant(raw, i) ? 1 : 0;
    const order = Array.from({ length: to - from }, (_, i) => from + i);
    order.sort((a, b) => dominant[b - from] - dominant[a - from] || raw.levelDb[b] - raw.levelDb[a] || a - b);
    const used = new Uint8Array(config.bandBorders.length + 1);
    const kept: KeptPeak[] = [];
    for (const i of order) {
      const band = bandOfBin[Math.min(config.lastBin - 1, Math.round(raw.bin[i]))];
      const rank = used[band];
      if (rank >= quota) continue;
      used[band] = rank + 1;
      const pitch = config.stepsPerOctave * Math.log2(raw.bin[i] / config.firstBin);
      kept.push({
        frame: Math.max(0, Math.round(raw.frame[i] / quantum.frame) * quantum.frame),
        pitch: Math.max(0, Math.round(pitch / quantum.pitch) * quantum.pitch),
        level: Math.round(raw.levelDb[i]),
        rank,
      });
    }
    kept.sort((a, b) => a.frame - b.frame || a.pitch - b.pitch);
    for (const peak of kept) this.out.push(peak);
  }

  /** Forgets finished peaks that are too far back to rival the next second's. */
  private dropFarRivals(): void {
    const { raw } = this;
    const needed = this.cell * config.quotaFrames - config.dominanceFrames - 1;
    let drop = 0;
    while (drop < this.done && raw.frame[drop] < needed) drop++;
    if (drop === 0) return;
    for (const values of [raw.frame, raw.bin, raw.levelDb]) values.copyWithin(0, drop, raw.length);
    raw.length -= drop;
    this.done -= drop;
  }
}

type KeptPeak = { frame: number; pitch: number; level: number; rank: number };

/** Whether no other peak near peak `i` is louder. */
function isDominant(raw: PeakList, i: number): boolean {
  const frame = raw.frame[i];
  const bin = raw.bin[i];
  const level = raw.levelDb[i];
  for (let j = i + 1; j < raw.length && raw.frame[j] - frame <= config.dominanceFrames; j++) {
    if (Math.abs(raw.bin[j] - bin) <= config.dominanceBins && raw.levelDb[j] > level) return false;
  }
  for (let j = i - 1; j >= 0 && frame - raw.frame[j] <= config.dominanceFrames; j--) {
    if (Math.abs(raw.bin[j] - bin) <= config.dominanceBins && raw.levelDb[j] > level) return false;
  }
  return true;
}

/** Peaks whose number is not known yet. */
class GrowingPeaks {
  private frames = new Float32Array(4096);
  private pitches = new Float32Array(4096);
  private levels = new Float32Array(4096);
  private ranks = new Uint8Array(4096);
  private length = 0;

  /** Adds a peak; at the border of two seconds it may belong before the last ones. */
  push(peak: KeptPeak): void {
    if (this.length === this.frames.length) this.grow();
    let at = this.length++;
    for (; at > 0 && this.frames[at - 1] > peak.frame; at--) {
      this.frames[at] = this.frames[at - 1];
      this.pitches[at] = this.pitches[at - 1];
      this.levels[at] = this.levels[at - 1];
      this.ranks[at] = this.ranks[at - 1];
    }
    this.frames[at] = peak.frame;
    this.pitches[at] = peak.pitch;
    this.levels[at] = peak.level;
    this.ranks[at] = peak.rank;
  }

  /** Hands the peaks over and is empty again. */
  take(lengthFrames: number): Peaks {
    const peaks = {
      frames: this.frames.slice(0, this.length),
      pitches: this.pitches.slice(0, this.length),
      levels: this.levels.slice(0, this.length),
      ranks: this.ranks.slice(0, this.length),
      lengthFrames,
    };
    this.length = 0;
    return peaks;
  }

  private grow(): void {
    const size = this.frames.length * 2;
    const frames = new Float32Array(size);
    frames.set(this.frames);
    this.frames = frames;
    const pitches = new Float32Array(size);
    pitches.set(this.pitches);
    this.pitches = pitches;
    const levels = new Float32Array(size);
    levels.set(this.levels);
    this.levels = levels;
    const ranks = new Uint8Array(size);
    ranks.set(this.ranks);
    this.ranks = ranks;
  }
}
