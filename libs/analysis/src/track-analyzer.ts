import type { Loudness } from './loudness/loudness.js';
import { LoudnessMeter } from './loudness/loudness.js';
import type { TechnicalQuality } from './quality/technical-quality.js';
import { QualityMeter } from './quality/technical-quality.js';
import type { BeatNetwork } from './rhythm/beat-network.js';
import type { Timbre } from './rhythm/onset-strength.js';
import { OnsetExtractor } from './rhythm/onset-strength.js';
import type { Rhythm } from './rhythm/rhythm.js';
import { trackBeats, trackBeatsWith } from './rhythm/rhythm.js';
import { findCues, type CuePoint } from './structure/cue-points.js';
import { findSections } from './structure/sections.js';
import type { Chroma } from './tonal/chroma.js';
import { ChromaExtractor } from './tonal/chroma.js';
import type { Key } from './tonal/key.js';
import { estimateKey } from './tonal/key.js';

/** A part of a track, integer milliseconds; parts that sound alike share a label. */
export type TrackSection = Readonly<{ startMs: number; endMs: number; label: string }>;

/**
 * What `earmark analyze` says of a track. Times are integer milliseconds; without a beat there is no tempo, without tones
 * no key.
 */
export type TrackAnalysis = Readonly<{
  durationMs: number;
  tempoBpm?: number;
  /** 0..1. */
  tempoConfidence: number;
  beatsMs: readonly number[];
  downbeatsMs: readonly number[];
  key?: Key;
  loudness: Loudness;
  sections: readonly TrackSection[];
  cues: readonly CuePoint[];
  /** Tuning against A4 = 440 Hz, cents, -50..50. */
  tuningCents: number;
  quality: TechnicalQuality;
}>;

/** Id and version stored with everything this analysis gives. */
export const analysisVersion = 'earmark-analysis@1.3.0';

/**
 * Analyses one track from two streams of one decode: mono at 16 kHz for beats, key and structure, and the
 * channels at the file's own rate for loudness and quality. Memory grows with features (about 4.5 kB per second), never
 * with samples.
 */
export class TrackAnalyzer {
  private readonly onsets = new OnsetExtractor();
  private readonly chroma = new ChromaExtractor();
  private readonly loudness: LoudnessMeter;
  private readonly quality: QualityMeter;
  private frames = 0;

  /**
   * @param sampleRateHz rate of the file
   * @param channels 1 or 2
   */
  constructor(
    private readonly sampleRateHz: number,
    channels: number,
  ) {
    this.loudness = new LoudnessMeter(sampleRateHz, channels);
    this.quality = new QualityMeter(sampleRateHz, channels);
  }

  /** Adds samples at the file's own rate in -1..1, one array a channel, all of one length. */
  pushChannels(channels: readonly Float32Array[]): void {
    this.loudness.push(channels);
    this.quality.push(channels);
    this.frames += channels[0]?.length ?? 0;
  }

  /** Adds the same sound as mono (mean of the channels) at 16 kHz, in blocks of any length. */
  pushMono(samples: Float32Array): void {
    this.onsets.push(samples);
    this.chroma.push(samples);
  }

  /** Ends both streams and gives the analysis, without a trained network. Call once. */
  finish(): TrackAnalysis {
    const { onsets, timbre } = this.onsets.finish();
    const chroma = this.chroma.finish();
    return this.describe(trackBeats(onsets, chroma), timbre, chroma);
  }

  /** {@link finish} with beats and bars by a trained network. */
  async finishWith(network: BeatNetwork): Promise<TrackAnalysis> {
    const { onsets, timbre } = this.onsets.finish();
    const chroma = this.chroma.finish();
    return this.describe(await trackBeatsWith(network, onsets, chroma), timbre, chroma);
  }

  private describe(rhythm: Rhythm, timbre: Timbre, chroma: Chroma): TrackAnalysis {
    const durationSeconds = this.frames / this.sampleRateHz;
    const inside = (seconds: readonly number[]) => seconds.filter((t) => t < durationSeconds);
    const beats = inside(rhythm.beatSeconds);
    const downbeats = inside(rhythm.downbeatSeconds);
    const sections = findSections(downbeats, durationSeconds, timbre, chroma);
    const key = estimateKey(chroma);
    const quality = this.quality.finish();
    const loudness = this.loudness.finish();
    return {
      durationMs: toMs(durationSeconds),
      ...(rhythm.tempoBpm === undefined ? {} : { tempoBpm: rhythm.tempoBpm }),
      tempoConfidence: rhythm.tempoConfidence,
      beatsMs: beats.map(toMs),
      downbeatsMs: downbeats.map(toMs),
      ...(key === undefined ? {} : { key }),
      loudness,
      sections: sections.map((s) => ({
        startMs: toMs(s.startSeconds),
        endMs: toMs(s.endSeconds),
        label: s.label,
      })),
      cues: findCues(sections, downbeats, durationSeconds, timbre),
      tuningCents: chroma.tuningCents,
      quality,
    };
  }
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
