import { describe, expect, it } from 'vitest';
import { seededRandom } from '@earmark/kernel';
import { pitchClassNames } from './tonal/key.js';
import { TrackAnalyzer, type TrackAnalysis } from './track-analyzer.js';

const rate = 16_000;

function analyse(samples: Float32Array, block = 4_321): TrackAnalysis {
  const analyzer = new TrackAnalyzer(rate, 1);
  for (let at = 0; at < samples.length; at += block) {
    const part = samples.subarray(at, at + block);
    analyzer.pushMono(part);
    analyzer.pushChannels([part]);
  }
  return analyzer.finish();
}

type Sound = Readonly<{ at: number; note?: number; length: number; gain: number }>;

/** Renders decaying tones with four harmonics; a sound without a note is a burst of noise. */
function render(seconds: number, sounds: readonly Sound[]): Float32Array {
  const out = new Float32Array(Math.round(seconds * rate));
  const random = seededRandom(9);
  for (const { at, note, length, gain } of sounds) {
    const first = Math.round(at * rate);
    const count = Math.min(out.length - first, Math.round(length * rate));
    const hz = note === undefined ? 0 : 440 * 2 ** ((note - 69) / 12);
    for (let i = 0; i < count; i++) {
      let value = 0;
      if (note === undefined) value = random.next() - 0.5;
      else for (let h = 1; h <= 4; h++) value += Math.sin((2 * Math.PI * hz * h * i) / rate) / h / h;
      out[first + i] += gain * value * Math.exp((-3 * i) / count);
    }
  }
  return out;
}

/** Kick on every beat, snare on 2 and 4, and a cadence (I IV V I) of one chord a bar. */
function song(bpm: number, tonic: number, seconds: number, minor = false): Float32Array {
  const beat = 60 / bpm;
  const third = minor ? 3 : 4;
  const roots = [0, 5, 7, 0];
  const sounds: Sound[] = [];
  for (let b = 0; b * beat < seconds - beat; b++) {
    sounds.push({ at: b * beat, note: 31, length: 0.1, gain: b % 2 === 0 ? 0.4 : 0.1 });
    if (b % 2 === 1) sounds.push({ at: b * beat, length: 0.08, gain: 0.4 });
    if (b % 4 !== 0) continue;
    const root = tonic + roots[(b / 4) % 4];
    const chordThird = roots[(b / 4) % 4] === 7 ? 4 : third;
    for (const note of [root - 12, root, root + chordThird, root + 7]) {
      sounds.push({ at: b * beat, note, length: 4 * beat, gain: 0.12 });
    }
  }
  return render(seconds, sounds);
}

describe('TrackAnalyzer', () => {
  it('finds tempo, beats within 15 ms and bars of a plain song', () => {
    const result = analyse(song(110, 60, 20));
    expect(Math.abs((result.tempoBpm ?? 0) - 110)).toBeLessThan(1);
    const beatMs = 60_000 / 110;
    const inner = result.beatsMs.filter((t) => t > 3_000 && t < 17_000);
    expect(inner.length).toBeGreaterThan(20);
    for (const t of inner) expect(Math.abs(t - Math.round(t / beatMs) * beatMs)).toBeLessThan(15);
    const bars = result.downbeatsMs.filter((t) => t > 3_000 && t < 17_000);
    for (const t of bars) expect(Math.round(t / beatMs) % 4).toBe(0);
  });

  it('gives the transposed key for transposed music', () => {
    for (const [tonic, minor] of [
      [60, false],
      [63, false],
      [58, false],
      [57, true],
    ] as const) {
      const key = analyse(song(120, tonic, 10, minor)).key;
      expect(key?.tonic).toBe(pitchClassNames[tonic % 12]);
      expect(key?.mode).toBe(minor ? 'minor' : 'major');
    }
  });

  it('does not depend on how the stream is cut into blocks', () => {
    const samples = song(96, 62, 8);
    expect(analyse(samples, 999)).toEqual(analyse(samples, 50_000));
  });

  it('divides a track where its sound changes', () => {
    const first = song(120, 60, 24);
    const second = render(
      24,
      Array.from({ length: 96 }, (_, i) => ({
        at: i / 4,
        note: [85, 90, 94][i % 3],
        length: 0.2,
        gain: 0.3,
      })),
    );
    const joined = new Float32Array(first.length + second.length);
    joined.set(first);
    joined.set(second, first.length);
    const { sections } = analyse(joined);
    expect(sections.some((s) => Math.abs(s.startMs - 24_000) < 2_100)).toBe(true);
    expect(sections[0].startMs).toBe(0);
    expect(sections[sections.length - 1].endMs).toBe(48_000);
    for (let i = 1; i < sections.length; i++) expect(sections[i].startMs).toBe(sections[i - 1].endMs);
  });

  it('says nothing of beat and key for silence and for nothing', () => {
    for (const seconds of [0, 0.01, 5]) {
      const result = analyse(new Float32Array(seconds * rate));
      expect(result.tempoBpm).toBeUndefined();
      expect(result.key).toBeUndefined();
      expect(result.beatsMs).toEqual([]);
      expect(result.durationMs).toBe(seconds * 1000);
    }
  });
});
