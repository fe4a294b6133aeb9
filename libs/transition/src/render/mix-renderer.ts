import { TruePeakMeter } from '@earmark/dsp';
import type { CurvePoint } from '../mix-curve.js';
import type { MixPlan } from '../mix-plan.js';
import { Equalizer } from './equalizer.js';
import { stretch, type TimeMap } from './time-stretch.js';

/** Two channels of a part of a track, and where in the track it begins, ms. */
export type TrackAudio = Readonly<{ channels: readonly Float32Array[]; startMs: number }>;

/** How much of both tracks a preview has beside the overlap, ms. */
export type PreviewSpan = Readonly<{ leadMs: number; tailMs: number }>;

/** A rendered transition: two channels, and where in it the second track starts and the first one has ended, ms. */
export type RenderedMix = Readonly<{
  channels: readonly [Float32Array, Float32Array];
  overlapStartMs: number;
  overlapEndMs: number;
  /** What the whole was turned down by to stay under the ceiling, dB, 0 or less. */
  trimDb: number;
}>;

/** A part of a track that a preview needs, ms; it may reach beyond the track. */
export type NeededPart = Readonly<{ startMs: number; endMs: number }>;

/** Highest true peak of a preview, dBTP. */
export const previewCeilingDbtp = -1;
/** Playing time in which a speed moves between that of the record and that of the overlap. */
const glideMs = 6_000;
const blockSamples = 64;
const cutFadeMs = 5;

/** The parts of both tracks that a preview of a plan is made of. */
export function neededParts(plan: MixPlan, span: PreviewSpan): { from: NeededPart; to: NeededPart } {
  const from = fromMap(plan, span);
  const to = toMap(plan, span);
  const endMs = span.leadMs + plan.overlapMs + span.tailMs;
  return {
    from: { startMs: Math.max(0, from(0) - 100), endMs: from(span.leadMs + plan.overlapMs) + 100 },
    to: { startMs: Math.max(0, to(span.leadMs - cutFadeMs) - 100), endMs: to(endMs) + 100 },
  };
}

/**
 * Renders a plan: tempo by {@link stretch}, bands, faders and gains as the plan says, the whole under -1 dBTP. A track whose
 * speed changes in the overlap glides there before it, and back after it.
 *
 * @param from audio of at least the part that {@link neededParts} names, both channels at `sampleRateHz`
 */
export function renderMix(
  plan: MixPlan,
  from: TrackAudio,
  to: TrackAudio,
  sampleRateHz: number,
  span: PreviewSpan,
): RenderedMix {
  const samplesOf = (ms: number): number => Math.round((ms * sampleRateHz) / 1000);
  const start = samplesOf(span.leadMs);
  const overlap = samplesOf(plan.overlapMs);
  const isCut = overlap === 0 && plan.type !== 'gapless';
  const cutFade = isCut ? samplesOf(cutFadeMs) : 0;
  const total = start + overlap + samplesOf(span.tailMs);
  const fromEnd = start + overlap;
  const toStart = start - cutFade;

  const first = played(from, fromMap(plan, span), sampleRateHz, 0, fromEnd);
  const second = played(to, toMap(plan, span), sampleRateHz, toStart, total - toStart);
  const gains = { from: 10 ** (plan.fromGainDb / 20), to: 10 ** (plan.toGainDb / 20) };
  for (const channel of first) {
    shape(channel, plan.curves.from, start, sampleRateHz, gains.from);
    for (let i = 0; i < cutFade; i++) channel[fromEnd - cutFade + i] *= 1 - (i + 1) / cutFade;
  }
  for (const channel of second) {
    shape(channel, plan.curves.to, start - toStart, sampleRateHz, gains.to);
    for (let i = 0; i < cutFade; i++) channel[i] *= i / cutFade;
  }
  const channels = [0, 1].map((c) => {
    const out = new Float32Array(total);
    out.set(first[Math.min(c, first.length - 1)]);
    const added = second[Math.min(c, second.length - 1)];
    for (let i = 0; i < added.length; i++) out[toStart + i] += added[i];
    return out;
  });
  const trimDb = limitPeak(channels, sampleRateHz);
  return {
    channels: [channels[0], channels[1]],
    overlapStartMs: span.leadMs,
    overlapEndMs: span.leadMs + plan.overlapMs,
    trimDb,
  };
}

/** Samples of a track as a map of playing time (ms) to places in the track (ms) plays them. */
function played(
  { channels, startMs }: TrackAudio,
  map: (ms: number) => number,
  sampleRateHz: number,
  firstSample: number,
  length: number,
): Float32Array[] {
  const toInput: TimeMap = (sample) =>
    ((map(((firstSample + sample) * 1000) / sampleRateHz) - startMs) * sampleRateHz) / 1000;
  return stretch(channels, sampleRateHz, toInput, length);
}

/** Place in the first track at a playing time, ms: its own speed, then a glide to that of the overlap. */
function fromMap(
  { cueOutMs, fromTempoRatio: ratio }: MixPlan,
  { leadMs }: PreviewSpan,
): (ms: number) => number {
  const glide = Math.min(glideMs, leadMs);
  return (ms) => {
    const after = ms - leadMs;
    if (after >= 0) return cueOutMs + ratio * after;
    const inGlide = Math.min(-after, glide);
    return cueOutMs - glided(inGlide, ratio, glide) - (-after - inGlide);
  };
}

/** Place in the second track at a playing time, ms: the overlap's speed, then a glide back to its own. */
function toMap(plan: MixPlan, { leadMs, tailMs }: PreviewSpan): (ms: number) => number {
  const { cueInMs, overlapMs, toTempoRatio: ratio } = plan;
  const glide = Math.min(glideMs, tailMs);
  return (ms) => {
    const after = ms - leadMs - overlapMs;
    if (after <= 0) return cueInMs + ratio * (ms - leadMs);
    const inGlide = Math.min(after, glide);
    return cueInMs + ratio * overlapMs + glided(inGlide, ratio, glide) + (after - inGlide);
  };
}

/** Way covered in the first `ms` of a glide from a speed to 1. */
function glided(ms: number, ratio: number, glide: number): number {
  return glide > 0 ? ratio * ms + ((1 - ratio) * ms * ms) / (2 * glide) : 0;
}

/** Applies gain, and the curve from a sample on, in place. */
function shape(
  samples: Float32Array,
  curve: readonly CurvePoint[],
  curveStart: number,
  sampleRateHz: number,
  gain: number,
): void {
  const equalizer = new Equalizer(sampleRateHz);
  for (let at = 0; at < samples.length; at += blockSamples) {
    const block = samples.subarray(at, at + blockSamples);
    const here = pointAt(curve, ((at - curveStart) * 1000) / sampleRateHz);
    const next = pointAt(curve, ((at + block.length - curveStart) * 1000) / sampleRateHz);
    equalizer.process(block, here.lowDb, here.midDb, here.highDb);
    for (let i = 0; i < block.length; i++) {
      block[i] *= gain * (here.fader + ((next.fader - here.fader) * i) / block.length);
    }
  }
}

const flat: CurvePoint = { atMs: 0, fader: 1, lowDb: 0, midDb: 0, highDb: 0 };

/** The curve at a playing time; before its first point as there, after the last as there; flat without points. */
function pointAt(curve: readonly CurvePoint[], atMs: number): CurvePoint {
  const after = curve.findIndex((point) => point.atMs > atMs);
  if (after < 0) return curve.at(-1) ?? flat;
  // Before its overlap the first track is as its curve starts: unchanged.
  if (after === 0) return curve[0];
  const [a, b] = [curve[after - 1], curve[after]];
  const share = (atMs - a.atMs) / (b.atMs - a.atMs);
  const between = (x: number, y: number): number => x + share * (y - x);
  return {
    atMs,
    fader: between(a.fader, b.fader),
    lowDb: between(a.lowDb, b.lowDb),
    midDb: between(a.midDb, b.midDb),
    highDb: between(a.highDb, b.highDb),
  };
}

/** Turns everything down so far that the true peak keeps the ceiling; gives the change, dB. */
function limitPeak(channels: readonly Float32Array[], sampleRateHz: number): number {
  let peak = 0;
  for (const channel of channels) {
    const meter = new TruePeakMeter(sampleRateHz);
    meter.process(channel);
    peak = Math.max(peak, meter.flush());
  }
  // A hundredth of a decibel for what rounding to 16 bits adds.
  const ceiling = 10 ** ((previewCeilingDbtp - 0.01) / 20);
  if (peak <= ceiling) return 0;
  for (const channel of channels) for (let i = 0; i < channel.length; i++) channel[i] *= ceiling / peak;
  return 20 * Math.log10(ceiling / peak);
}
