import { describe, expect, it } from 'vitest';
import { describePulse, meetingOfPulses, pulseSize } from './pulse.js';

const rateHz = 62.5;

/** Onsets of a two-beat figure: strong, weak after a third, strong. */
function figure(bpm: number, seconds = 8): Float64Array {
  const envelope = new Float64Array(Math.round(seconds * rateHz));
  const beat = (60 / bpm) * rateHz;
  for (let at = 0, n = 0; at < envelope.length - 1; n++, at = (Math.floor(n / 2) + (n % 2) * 0.34) * beat) {
    const whole = Math.floor(at);
    envelope[whole] += (n % 2 === 0 ? 2 : 1) * (1 - (at - whole));
    envelope[whole + 1] += (n % 2 === 0 ? 2 : 1) * (at - whole);
  }
  return envelope;
}

function pulse(envelope: Float64Array): Float32Array {
  const out = new Float32Array(pulseSize);
  describePulse(envelope, rateHz, out);
  return out;
}

describe('pulse', () => {
  const reference = pulse(figure(110));

  it('has unit length and no mean', () => {
    expect(Math.hypot(...reference)).toBeCloseTo(1, 4);
    expect(reference.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 4);
  });

  it('meets itself, and the same played 5 % faster or slower', () => {
    expect(meetingOfPulses(reference, reference, 0)).toBeCloseTo(1, 4);
    for (const ratio of [0.95, 1.05])
      expect(meetingOfPulses(reference, pulse(figure(110 * ratio)), 0)).toBeGreaterThan(0.7);
  });

  it('meets a tempo that a player cannot reach less well', () => {
    for (const ratio of [0.8, 1.25])
      expect(meetingOfPulses(reference, pulse(figure(110 * ratio)), 0)).toBeLessThan(0.5);
  });

  it('is silent where nothing moves, and takes a second of sound', () => {
    expect([...pulse(new Float64Array(499))].every((value) => value === 0)).toBe(true);
    expect(pulse(figure(110, 1)).every(Number.isFinite)).toBe(true);
  });
});
