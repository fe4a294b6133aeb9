import { describe, expect, it } from 'vitest';
import { describeEdge, edgeSamples, isContinuous } from './edges.js';
import { seededRandom } from '@earmark/kernel';
import { chooseDiverse } from './diversity.js';
import { feedbackBias } from './feedback-bias.js';
import { localLoudnessLu, LoudnessCurveMeter } from './loudness-curve.js';
import { chooseSeams, seamWindow } from './seams.js';
import { TrackProfiler } from './track-profile.js';
import { featureSize } from './window-features.js';

const rate = 16_000;
const tone = (hz: number, seconds: number, level = 0.3): Float32Array =>
  Float32Array.from(
    { length: Math.round(seconds * rate) },
    (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rate),
  );

const analysis = {
  durationMs: 180_000,
  downbeatsMs: Array.from({ length: 90 }, (_, i) => i * 2_000),
  cues: [
    { kind: 'in', atMs: 500, strength: 1 },
    { kind: 'in', atMs: 32_000, strength: 0.6 },
    { kind: 'in', atMs: 175_000, strength: 0.6 },
    { kind: 'out', atMs: 120_000, strength: 0.6 },
    { kind: 'out', atMs: 178_000, strength: 1 },
  ] as const,
};

describe('chooseSeams', () => {
  it('takes the natural ways in and out and fills long stretches with downbeats', () => {
    const seams = chooseSeams(analysis);
    const heads = seams.filter(({ side }) => side === 'head').map(({ atMs }) => atMs);
    const tails = seams.filter(({ side }) => side === 'tail').map(({ atMs }) => atMs);
    expect(heads).toEqual([500, 32_000]);
    expect(tails).toContain(178_000);
    expect(tails).toContain(120_000);
    for (let at = 30_000; at < 160_000; at += 10_000) {
      expect(Math.min(...tails.map((t) => Math.abs(t - at)))).toBeLessThanOrEqual(30_000);
    }
  });

  it('gives every track one head and one tail', () => {
    const seams = chooseSeams({ durationMs: 3_000, cues: [], downbeatsMs: [] });
    expect(seams.map(({ side, atMs }) => [side, atMs])).toEqual([
      ['head', 0],
      ['tail', 3_000],
    ]);
    expect(seamWindow({ side: 'tail', atMs: 200 }, 3_000, 8_000)).toEqual({ startMs: 0, endMs: 1_000 });
  });
});

describe('TrackProfiler', () => {
  it('describes the seams of what it heard', () => {
    const profiler = new TrackProfiler();
    const sound = tone(220, 20);
    for (let at = 0; at < sound.length; at += 5_000) profiler.push(sound.subarray(at, at + 5_000));
    const quality = { clippedShare: 0, bandwidthHz: 8_000, noiseDb: -80 };
    const { seams, edges, loudnessCurve } = profiler.finish({
      durationMs: 20_000,
      tempoConfidence: 0,
      beatsMs: [],
      downbeatsMs: [],
      loudness: { integratedLufs: -14, rangeLu: 1, truePeakDbtp: -10 },
      sections: [],
      cues: [],
      tuningCents: 0,
      quality: quality as never,
    });
    expect(seams.map(({ side, atMs }) => [side, atMs])).toEqual([
      ['head', 0],
      ['tail', 20_000],
    ]);
    expect(seams.every(({ features }) => features.length === featureSize)).toBe(true);
    expect(loudnessCurve).toHaveLength(20);
    expect(isContinuous(edges.end, edges.start)).toBe(true);
  });
});

describe('isContinuous', () => {
  it('wants both to sound, equally loud and alike', () => {
    const end = describeEdge(tone(220, 1).subarray(0, edgeSamples), 'end');
    expect(isContinuous(end, describeEdge(tone(220, 1).subarray(0, edgeSamples), 'start'))).toBe(true);
    expect(isContinuous(end, describeEdge(tone(3_000, 1).subarray(0, edgeSamples), 'start'))).toBe(false);
    expect(isContinuous(end, describeEdge(tone(220, 1, 0.03).subarray(0, edgeSamples), 'start'))).toBe(false);
    expect(isContinuous(end, describeEdge(new Float32Array(edgeSamples), 'start'))).toBe(false);
  });
});

describe('localLoudnessLu', () => {
  it('says how much louder a stretch is than the whole', () => {
    const meter = new LoudnessCurveMeter(rate);
    meter.push(tone(500, 10, 0.1));
    meter.push(tone(500, 10, 0.2));
    const curve = meter.finish();
    expect(curve).toHaveLength(20);
    const step = localLoudnessLu(curve, 10_000, 20_000) - localLoudnessLu(curve, 0, 10_000);
    expect(step).toBeCloseTo(6, 0);
  });
});

describe('feedbackBias', () => {
  it('demotes a pair that was skipped twenty times, and hardly one that was skipped once', () => {
    expect(feedbackBias({ skips: 20, completes: 0 })).toBeLessThan(-0.35);
    expect(feedbackBias({ skips: 1, completes: 0 })).toBeGreaterThan(-0.06);
    expect(feedbackBias({ skips: 5, completes: 5 })).toBe(0);
    expect(feedbackBias({ skips: 0, completes: 20 })).toBeGreaterThan(0.35);
  });
});

describe('chooseDiverse', () => {
  const vector = (x: number): Float32Array => Float32Array.of(Math.cos(x), Math.sin(x));
  const choices = [
    { score: 0.9, vector: vector(0), artists: ['a'] },
    { score: 0.88, vector: vector(0.05), artists: ['b'] },
    { score: 0.7, vector: vector(1.5), artists: ['c'] },
  ];

  it('goes by score alone without a weight, and prefers what is different with one', () => {
    expect(chooseDiverse(choices, 3, 0)).toEqual([0, 1, 2]);
    expect(chooseDiverse(choices, 2, 0.5)).toEqual([0, 2]);
  });

  it('chooses what a comparison of all with all would', () => {
    const random = seededRandom(5);
    const all = Array.from({ length: 40 }, () => ({
      score: Math.round(random.next() * 20) / 20,
      vector: Float32Array.from({ length: 4 }, () => random.next() - 0.3),
      artists: [`artist ${Math.floor(random.next() * 10)}`],
    }));
    const likeness = (a: number, b: number): number => {
      const sum = all[a].vector.reduce((total, value, d) => total + value * all[b].vector[d], 0);
      const cosine = Math.max(0, Math.min(1, sum));
      return all[a].artists[0] === all[b].artists[0] ? (1 + cosine) / 2 : cosine;
    };
    const expected: number[] = [];
    while (expected.length < 12) {
      const gains = all.map(({ score }, i) =>
        expected.includes(i) ? -Infinity : score - 0.4 * Math.max(0, ...expected.map((j) => likeness(i, j))),
      );
      expected.push(gains.indexOf(Math.max(...gains)));
    }
    expect(chooseDiverse(all, 12, 0.4)).toEqual(expected);
  });
});
