import { describe, expect, it } from 'vitest';
import { tempoRatios } from './beat-alignment.js';
import { matchGains } from './mix-gain.js';
import { keyDistance, planMix } from './mix-plan.js';
import type { MixTrack } from './mix-track.js';

function track(bpm: number | undefined, changes: Partial<MixTrack> = {}): MixTrack {
  const beat = 60_000 / (bpm ?? 120);
  const beatsMs =
    bpm === undefined ? [] : Array.from({ length: Math.floor(180_000 / beat) }, (_, i) => i * beat);
  return {
    durationMs: 180_000,
    ...(bpm === undefined ? {} : { tempoBpm: bpm }),
    tempoConfidence: bpm === undefined ? 0 : 0.9,
    beatsMs,
    downbeatsMs: beatsMs.filter((_, i) => i % 4 === 0),
    loudness: { integratedLufs: -12, rangeLu: 5, truePeakDbtp: -3 },
    cues: [
      { kind: 'in', atMs: 0, strength: 1 },
      { kind: 'out', atMs: 178_000, strength: 1 },
    ],
    ...changes,
  };
}

describe('planMix', () => {
  it('matches beats of near tempos and leaves and enters on downbeats', () => {
    const [from, to] = [track(120), track(124)];
    const plan = planMix(from, to);
    expect(plan.type).toBe('beatmix');
    expect(plan.toTempoRatio).toBeCloseTo(120 / 124, 6);
    expect(plan.fromTempoRatio).toBe(1);
    expect(Math.min(...from.downbeatsMs.map((t) => Math.abs(t - plan.cueOutMs)))).toBeLessThan(1);
    expect(Math.min(...to.downbeatsMs.map((t) => Math.abs(t - plan.cueInMs)))).toBeLessThan(1);
    expect(plan.overlapMs).toBe(plan.overlapBeats * 500);
    expect(plan.cueOutMs + plan.overlapMs).toBeLessThanOrEqual(from.durationMs);
  });

  it('keeps within the cut that the caller allows', () => {
    const plan = planMix(track(120), track(120), { maxCutMs: 10_000 });
    expect(180_000 - plan.cueOutMs).toBeLessThanOrEqual(10_000);
  });

  it('fades where tempos are too far apart or unsure', () => {
    expect(planMix(track(90), track(124)).type).toBe('fade');
    expect(planMix(track(120, { tempoConfidence: 0.1 }), track(120)).type).toBe('fade');
    expect(planMix(track(undefined), track(120)).type).toBe('fade');
  });

  it('cuts on a downbeat where the next track is too short to fade, and leaves a gap without any beat', () => {
    const short = track(undefined, { durationMs: 2_000, cues: [] });
    const plan = planMix(track(120), short);
    expect(plan.type).toBe('cut');
    expect(plan.overlapMs).toBe(0);
    expect(plan.cueOutMs % 2_000).toBe(0);
    expect(planMix(track(undefined), short).type).toBe('gap');
  });

  it('lets no two voices sound at once where the caller asks for it', () => {
    const from = track(120, { vocals: [{ startMs: 100_000, endMs: 178_000 }] });
    const to = track(122, { vocals: [{ startMs: 0, endMs: 60_000 }] });
    expect(planMix(from, to).overlapMs).toBeGreaterThan(0);
    expect(planMix(from, to, { keepVocals: true }).overlapMs).toBe(0);
    const late = track(122, { vocals: [{ startMs: 20_000, endMs: 60_000 }] });
    expect(planMix(from, late, { keepVocals: true }).type).toBe('beatmix');
  });

  it('leaves on the border of a section where one is near the end', () => {
    const cues = [
      { kind: 'out', atMs: 156_000, strength: 0.6 },
      { kind: 'out', atMs: 178_000, strength: 1 },
    ] as const;
    expect(planMix(track(120, { cues }), track(120)).cueOutMs).toBe(156_000);
  });

  it('plays a recording that goes on without a break, and does not mix what does not fit', () => {
    const goesOn = planMix(track(120), track(120), { outcome: 'gapless' });
    expect([goesOn.type, goesOn.cueOutMs, goesOn.cueInMs, goesOn.overlapMs]).toEqual([
      'gapless',
      180_000,
      0,
      0,
    ]);
    expect(goesOn.fromGainDb).toBe(goesOn.toGainDb);
    expect(planMix(track(120), track(120), { outcome: 'do-not-mix' })).toMatchObject({
      type: 'gap',
      cueOutMs: 178_000,
      overlapMs: 0,
    });
  });

  it('changes basses once, and starts and ends with one track alone', () => {
    const { curves, bassSwapMs, overlapMs } = planMix(track(120), track(124));
    expect(bassSwapMs).toBeGreaterThan(0);
    expect(bassSwapMs).toBeLessThan(overlapMs);
    expect(curves.from[0]).toMatchObject({ atMs: 0, fader: 1, lowDb: 0 });
    expect(curves.from.at(-1)).toMatchObject({ atMs: overlapMs, fader: 0 });
    expect(curves.to[0]).toMatchObject({ fader: 0, lowDb: -40 });
    expect(curves.to.at(-1)).toMatchObject({ fader: 1, lowDb: 0, highDb: 0 });
  });

  it('gives equal input equal plans', () => {
    expect(planMix(track(120), track(123))).toEqual(planMix(track(120), track(123)));
  });
});

describe('tempoRatios', () => {
  it('changes the second track alone up to the limit, both up to twice as much, and an octave for nothing', () => {
    expect(tempoRatios(120, 118, 0.06)).toEqual({ from: 1, to: 120 / 118 });
    const both = tempoRatios(120, 108, 0.06);
    expect((120 * (both?.from ?? 0)) / (108 * (both?.to ?? 1))).toBeCloseTo(1, 9);
    expect(tempoRatios(70, 140, 0.06)).toEqual({ from: 1, to: 1 });
    expect(tempoRatios(100, 130, 0.06)).toBeUndefined();
  });
});

describe('matchGains', () => {
  const loud = { integratedLufs: -8, rangeLu: 3, truePeakDbtp: 0.5 };
  const soft = { integratedLufs: -20, rangeLu: 9, truePeakDbtp: -6 };

  it('gives both tracks the same loudness under the ceiling, also where they overlap', () => {
    for (const [from, to] of [
      [loud, soft],
      [soft, loud],
      [loud, loud],
    ]) {
      const gains = matchGains(from, to, true);
      expect(from.integratedLufs + gains.fromDb).toBeCloseTo(to.integratedLufs + gains.toDb, 6);
      const sum = Math.hypot(
        10 ** ((from.truePeakDbtp + gains.fromDb) / 20),
        10 ** ((to.truePeakDbtp + gains.toDb) / 20),
      );
      expect(20 * Math.log10(sum)).toBeLessThanOrEqual(-1 + 1e-9);
    }
  });
});

describe('keyDistance', () => {
  it('counts fifths and takes relatives as one', () => {
    const key = (tonic: 'C' | 'G' | 'A' | 'F#', mode: 'major' | 'minor') => ({ tonic, mode, strength: 1 });
    expect(keyDistance(key('C', 'major'), key('A', 'minor'))).toBe(0);
    expect(keyDistance(key('C', 'major'), key('G', 'major'))).toBe(1);
    expect(keyDistance(key('C', 'major'), key('F#', 'major'))).toBe(6);
  });
});
