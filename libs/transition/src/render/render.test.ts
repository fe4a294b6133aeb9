import { TruePeakMeter } from '@earmark/dsp';
import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { fadeCurves } from '../mix-curve.js';
import { planMix, type MixPlan } from '../mix-plan.js';
import type { MixTrack } from '../mix-track.js';
import { Equalizer } from './equalizer.js';
import { neededParts, renderMix, type TrackAudio } from './mix-renderer.js';
import { stretch } from './time-stretch.js';
import { encodeWav } from './wav-file.js';

const rate = 16_000;
const tone = (hz: number, seconds: number, level = 0.5): Float32Array =>
  Float32Array.from({ length: seconds * rate }, (_, i) => level * Math.sin((2 * Math.PI * hz * i) / rate));

/** Frequency of a tone by its rising zero crossings. */
function pitchOf(samples: Float32Array): number {
  let [crossings, first, last] = [-1, 0, 0];
  for (let i = 1; i < samples.length; i++) {
    if (samples[i - 1] < 0 && samples[i] >= 0) {
      if (++crossings === 0) first = i;
      last = i;
    }
  }
  return (crossings * rate) / (last - first);
}

/** Clicks of 3 ms of noise, one a beat. */
function clicks(bpm: number, seconds: number): Float32Array {
  const random = seededRandom(1);
  const out = new Float32Array(seconds * rate);
  for (let beat = 0; (beat * 60) / bpm < seconds; beat++) {
    const at = Math.round(((beat * 60) / bpm) * rate);
    for (let i = at; i < Math.min(out.length, at + 48); i++) out[i] = 0.8 * (random.next() - 0.5);
  }
  return out;
}

/** Starts of what sounds after a pause, ms. */
function onsetsMs(samples: Float32Array): number[] {
  const found: number[] = [];
  let quiet = rate;
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]) < 0.05) quiet++;
    else {
      if (quiet > rate / 10) found.push((i * 1000) / rate);
      quiet = 0;
    }
  }
  return found;
}

describe('stretch', () => {
  it('passes samples unchanged at the speed of the input', () => {
    const input = tone(220, 1);
    const [out] = stretch([input], rate, (t) => t, input.length);
    expect(out.subarray(800, 15_000).every((v, i) => Math.abs(v - input[800 + i]) < 1e-6)).toBe(true);
  });

  it('keeps pitch and gives the exact length', () => {
    for (const ratio of [0.94, 1.06]) {
      const [out] = stretch([tone(220, 4)], rate, (t) => t * ratio, Math.round((3 * rate) / ratio));
      expect(out.length).toBe(Math.round((3 * rate) / ratio));
      expect(pitchOf(out.subarray(1000, out.length - 1000))).toBeCloseTo(220, 0);
    }
  });

  it('brings every beat where it belongs, to 10 ms', () => {
    const [out] = stretch([clicks(120, 20)], rate, (t) => t * 1.05, 18 * rate);
    const onsets = onsetsMs(out);
    expect(onsets.length).toBeGreaterThan(30);
    for (const at of onsets) {
      const beat = 500 / 1.05;
      expect(Math.abs(at - Math.round(at / beat) * beat)).toBeLessThan(11);
    }
  });
});

describe('Equalizer', () => {
  it('takes out one band and leaves the others, and does nothing when flat', () => {
    const level = (hz: number, bands: readonly [number, number, number]): number => {
      const samples = tone(hz, 1);
      new Equalizer(rate).process(samples, ...bands);
      return 20 * Math.log10(Math.max(...samples.subarray(8000).map(Math.abs)) / 0.5);
    };
    expect(level(50, [-40, 0, 0])).toBeLessThan(-25);
    expect(level(2000, [-40, 0, 0])).toBeGreaterThan(-1);
    expect(level(6000, [0, 0, -12])).toBeLessThan(-10);
    expect(level(790, [0, -6, 0])).toBeCloseTo(-6, 1);
    const input = tone(300, 1);
    const output = input.slice();
    new Equalizer(rate).process(output, 0, 0, 0);
    expect(output).toEqual(input);
  });
});

const track = (bpm: number): MixTrack => {
  const beatsMs = Array.from({ length: Math.floor((60 * bpm) / 60) }, (_, i) => (i * 60_000) / bpm);
  return {
    durationMs: 60_000,
    tempoBpm: bpm,
    tempoConfidence: 1,
    beatsMs,
    downbeatsMs: beatsMs.filter((_, i) => i % 4 === 0),
    loudness: { integratedLufs: -14, rangeLu: 3, truePeakDbtp: -1 },
    cues: [{ kind: 'in', atMs: 0, strength: 1 }],
  };
};
const span = { leadMs: 8_000, tailMs: 8_000 };
const audio = (samples: Float32Array, { startMs, endMs }: { startMs: number; endMs: number }): TrackAudio => {
  const at = Math.round((startMs / 1000) * rate);
  const part = samples.subarray(at, Math.round((endMs / 1000) * rate));
  return { channels: [part, part], startMs: (at * 1000) / rate };
};

describe('renderMix', () => {
  it('brings the beats of both tracks together', () => {
    const plan = planMix(track(120), track(126));
    expect(plan.type).toBe('beatmix');
    const parts = neededParts(plan, span);
    const mix = renderMix(
      plan,
      audio(clicks(120, 60), parts.from),
      audio(clicks(126, 60), parts.to),
      rate,
      span,
    );
    const inside = mix.channels[0].subarray(
      Math.round((mix.overlapStartMs / 1000) * rate),
      Math.round((mix.overlapEndMs / 1000) * rate),
    );
    // Two clicks more than 60 ms apart would count twice.
    const onsets = onsetsMs(inside);
    expect(onsets.length).toBeLessThanOrEqual(plan.overlapBeats + 1);
    for (const at of onsets) expect(Math.abs(at - Math.round(at / 500) * 500)).toBeLessThan(12);
  });

  it('stays under -1 dBTP and fills the length that was asked for', () => {
    const plan: MixPlan = {
      ...planMix(track(120), track(120), { outcome: 'do-not-mix' }),
      type: 'fade',
      cueOutMs: 40_000,
      overlapMs: 4_000,
      fromGainDb: 6,
      toGainDb: 6,
      curves: fadeCurves(4_000),
    };
    const parts = neededParts(plan, span);
    const mix = renderMix(
      plan,
      audio(tone(100, 60, 0.9), parts.from),
      audio(tone(101, 60, 0.9), parts.to),
      rate,
      span,
    );
    const meter = new TruePeakMeter(rate);
    meter.process(mix.channels[0]);
    expect(20 * Math.log10(meter.flush())).toBeLessThanOrEqual(-1);
    expect(mix.trimDb).toBeLessThan(0);
    expect(mix.channels[0].length).toBe(20 * rate);
  });

  it('joins without a hole where it cuts and where the recording goes on', () => {
    for (const outcome of ['do-not-mix', 'gapless'] as const) {
      const plan = planMix(track(120), track(120), { outcome });
      const parts = neededParts(plan, span);
      const mix = renderMix(
        plan,
        audio(tone(100, 60), parts.from),
        audio(tone(100, 60), parts.to),
        rate,
        span,
      );
      let quiet = 0;
      for (let i = 7 * rate; i < 9 * rate; i++) {
        quiet = Math.abs(mix.channels[0][i]) < 0.003 ? quiet + 1 : 0;
        expect(quiet).toBeLessThan(rate / 100);
      }
    }
  });
});

describe('encodeWav', () => {
  it('writes a header that says what follows', () => {
    const bytes = encodeWav([tone(100, 1), tone(100, 1)], rate);
    const view = new DataView(bytes.buffer);
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('RIFF');
    expect(view.getUint16(22, true)).toBe(2);
    expect(view.getUint32(24, true)).toBe(rate);
    expect(view.getUint32(40, true)).toBe(bytes.length - 44);
  });
});
