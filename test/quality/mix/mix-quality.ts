/**
 * Quality of planned and rendered transitions where beats are known exactly: distance of beats, length, loudness step, true
 * peak, holes.
 *
 *     npx node test/quality/mix/mix-quality.ts RENDERS BEATS.tsv [--pairs 60] [--seed 1] [--out rows.jsonl]
 *
 * RENDERS holds WAV files made from MIDI, BEATS.tsv has rows `file, seconds, number_in_bar` (1 = first of a bar) for each of
 * them. Planner and renderer are those of the product; they get the beats of the notes instead of beats that were found.
 * The music goes into the left channel, with a click of -60 dB a beat of its own in the right one: the music decides how
 * the stretch joins its frames, the clicks say where the beats went.
 */
import {
  LoudnessMeter,
  TrackAnalyzer,
  analysisRateHz,
  energyToLufs,
  type TrackAnalysis,
} from '@earmark/analysis';
import { BiquadFilter, Resampler, TruePeakMeter, kWeighting } from '@earmark/dsp';
import { seededRandom } from '@earmark/kernel';
import {
  LoudnessCurveMeter,
  neededParts,
  planMix,
  renderMix,
  stretch,
  type MixPlan,
  type MixTrack,
  type RenderedMix,
} from '@earmark/transition';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const [folder, beatsFile] = positionals;
if (folder === undefined || beatsFile === undefined)
  throw new Error('name a folder of renders and a file of beats');

const span = { leadMs: 10_000, tailMs: 10_000 };
const clickLevel = 1e-3;
/** Windows whose loudness is compared, beside the overlap. */
const loudnessMs = 6_000;

type Sound = Readonly<{ name: string; rate: number; channels: readonly Float32Array[]; track: MixTrack }>;

const beatsOf = readBeats(beatsFile);
const sounds: Sound[] = [];
for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.wav'))
  .sort()) {
  const beats = beatsOf.get(basename(file, '.wav'));
  if (beats !== undefined && beats.length > 40) sounds.push(load(join(folder, file), beats));
}

const random = seededRandom(Number(values.seed));
const rows: Row[] = [];
type Row = Readonly<{
  from: string;
  to: string;
  type: string;
  beats: number;
  ratio: number;
  beatErrorsMs: readonly number[];
  lengthErrorMs: number;
  loudnessStepLu: number;
  peakDbtp: number;
  longestSilenceMs: number;
  longestHoleMs: number;
}>;

const pairs: [Sound, Sound][] = [];
for (let tries = 0; pairs.length < Number(values.pairs) && tries < 20_000; tries++) {
  const [a, b] = [0, 0].map(() => sounds[Math.floor(random.next() * sounds.length)]) as [Sound, Sound];
  if (a !== b && a.rate === b.rate && pairs.every(([x, y]) => x !== a || y !== b)) pairs.push([a, b]);
}
for (const [a, b] of pairs) {
  rows.push(measure(a, b));
  process.stderr.write(`${rows.length}/${pairs.length}\r`);
}
if (values.out !== undefined)
  writeFileSync(values.out, rows.map((row) => JSON.stringify(row)).join('\n') + '\n');

const matched = rows.filter(({ type }) => type === 'beatmix');
const errors = matched.flatMap(({ beatErrorsMs }) => beatErrorsMs);
console.log(
  JSON.stringify(
    {
      renders: sounds.length,
      pairs: rows.length,
      types: Object.fromEntries(
        [...Map.groupBy(rows, ({ type }) => type)].map(([type, of]) => [type, of.length]),
      ),
      stretchedShare:
        matched.filter(({ ratio }) => Math.abs(ratio - 1) > 0.002).length / Math.max(1, matched.length),
      beats: errors.length,
      beatErrorMs: { median: at(errors, 0.5), p95: at(errors, 0.95), largest: at(errors, 1) },
      lengthErrorMs: {
        largest: Math.max(...rows.map(({ lengthErrorMs }) => lengthErrorMs), stretchLengthError()),
      },
      loudnessStepLu: quantiles(rows.map(({ loudnessStepLu }) => Math.abs(loudnessStepLu))),
      loudnessStepLuBeatmix: quantiles(matched.map(({ loudnessStepLu }) => Math.abs(loudnessStepLu))),
      peakDbtp: { largest: Math.max(...rows.map(({ peakDbtp }) => peakDbtp)) },
      silencesOver10ms: rows.filter(({ longestSilenceMs }) => longestSilenceMs > 10).length,
      holesOver10ms: rows.filter(({ longestHoleMs }) => longestHoleMs > 10).length,
    },
    undefined,
    1,
  ),
);

function measure(a: Sound, b: Sound): Row {
  const plan = planMix(a.track, b.track);
  const mix = render(plan, a, b);
  const fromClicks = clicksIn(render(plan, withClicks(a), withSilence(b)), a.rate);
  const toClicks = clicksIn(render(plan, withSilence(a), withClicks(b)), b.rate);
  const inside = (ms: number): boolean => ms > mix.overlapStartMs - 20 && ms < mix.overlapEndMs - 5;
  const beatErrorsMs =
    plan.type === 'beatmix'
      ? fromClicks.filter(inside).flatMap((at) => {
          const nearest = toClicks.reduce(
            (best, t) => (Math.abs(t - at) < Math.abs(best - at) ? t : best),
            Infinity,
          );
          // The faded ends of the clicks cannot be found any more.
          return Math.abs(nearest - at) < 120 ? [Math.abs(nearest - at)] : [];
        })
      : [];
  const rate = a.rate;
  const wanted = Math.round(((span.leadMs + plan.overlapMs + span.tailMs) * rate) / 1000);
  return {
    from: a.name,
    to: b.name,
    type: plan.type,
    beats: plan.overlapBeats,
    ratio:
      Math.max(plan.toTempoRatio, 1 / plan.toTempoRatio) *
      Math.max(plan.fromTempoRatio, 1 / plan.fromTempoRatio),
    beatErrorsMs,
    lengthErrorMs: (Math.abs(mix.channels[0].length - wanted) * 1000) / rate,
    loudnessStepLu:
      loudness(mix, rate, mix.overlapEndMs, mix.overlapEndMs + loudnessMs) -
      loudness(mix, rate, mix.overlapStartMs - loudnessMs, mix.overlapStartMs),
    peakDbtp: truePeak(mix, rate),
    ...silences(plan, mix, a, b),
  };
}

function render(plan: MixPlan, a: Sound, b: Sound): RenderedMix {
  const parts = neededParts(plan, span);
  const part = (sound: Sound, { startMs, endMs }: { startMs: number; endMs: number }) => {
    const first = Math.round((startMs * sound.rate) / 1000);
    const last = Math.round((endMs * sound.rate) / 1000);
    return {
      channels: sound.channels.map((channel) => channel.subarray(first, last)),
      startMs: (first * 1000) / sound.rate,
    };
  };
  return renderMix(plan, part(a, parts.from), part(b, parts.to), a.rate, span);
}

function withClicks(sound: Sound): Sound {
  const clicks = new Float32Array(sound.channels[0].length);
  for (const beat of sound.track.beatsMs) {
    const at = Math.round((beat * sound.rate) / 1000);
    for (let i = 0; i < 24 && at + i < clicks.length; i++) clicks[at + i] = clickLevel * (1 - i / 24);
  }
  return { ...sound, channels: [mono(sound), clicks] };
}

function withSilence(sound: Sound): Sound {
  return { ...sound, channels: [mono(sound), new Float32Array(sound.channels[0].length)] };
}

function mono({ channels }: Sound): Float32Array {
  return channels[0].map((value, i) => (value + channels[1][i]) / 2);
}

/** Places of the clicks in the right channel, ms. */
function clicksIn(mix: RenderedMix, rate: number): number[] {
  const samples = mix.channels[1];
  const found: number[] = [];
  const guard = Math.round(0.1 * rate);
  for (let i = 0; i < samples.length; i++) {
    if (Math.abs(samples[i]) < clickLevel / 50) continue;
    let best = i;
    for (let k = i; k < Math.min(samples.length, i + Math.round(0.03 * rate)); k++) {
      if (Math.abs(samples[k]) > Math.abs(samples[best])) best = k;
    }
    found.push((best * 1000) / rate);
    i = best + guard;
  }
  return found;
}

function loudness(mix: RenderedMix, rate: number, startMs: number, endMs: number): number {
  let [energy, count] = [0, 0];
  for (const channel of mix.channels) {
    const part = channel.slice(Math.round((startMs * rate) / 1000), Math.round((endMs * rate) / 1000));
    const weighted = new BiquadFilter(kWeighting(rate)).process(part, part);
    for (const value of weighted) energy += value * value;
    count = part.length;
  }
  return energyToLufs(energy / count);
}

function truePeak(mix: RenderedMix, rate: number): number {
  const peaks = mix.channels.map((channel) => {
    const meter = new TruePeakMeter(rate);
    meter.process(channel);
    return meter.flush();
  });
  return 20 * Math.log10(Math.max(...peaks));
}

/**
 * Longest stretches under -50 dBFS (both channels, 1 ms steps) where the tracks meet, ms: `longestSilenceMs` of all, and
 * `longestHoleMs` of what the mix made silent: stretches in which the track that carries the overlap (the first one in its
 * first half) sounds at its gain. What that track itself rests is music.
 */
function silences(
  plan: MixPlan,
  mix: RenderedMix,
  a: Sound,
  b: Sound,
): Pick<Row, 'longestSilenceMs' | 'longestHoleMs'> {
  const quiet = 10 ** (-50 / 20);
  const middle = (mix.overlapStartMs + mix.overlapEndMs) / 2;
  const sounds = (atMs: number): boolean => {
    const [sound, cueMs, ratio, gainDb] =
      atMs < middle
        ? [a, plan.cueOutMs, plan.fromTempoRatio, plan.fromGainDb]
        : [b, plan.cueInMs, plan.toTempoRatio, plan.toGainDb];
    const level = loudest(sound.channels, sound.rate, cueMs + (atMs - mix.overlapStartMs) * ratio);
    return level * 10 ** (gainDb / 20) >= quiet;
  };
  let [silence, hole, silenceMs, holeMs] = [0, 0, 0, 0];
  for (let atMs = mix.overlapStartMs - 20; atMs < mix.overlapEndMs + 20; atMs++) {
    const silent = loudest(mix.channels, a.rate, atMs) < quiet;
    silenceMs = silent ? silenceMs + 1 : 0;
    holeMs = silent && sounds(atMs) ? holeMs + 1 : 0;
    silence = Math.max(silence, silenceMs);
    hole = Math.max(hole, holeMs);
  }
  return { longestSilenceMs: silence, longestHoleMs: hole };
}

/** Largest value of a millisecond of sound. */
function loudest(channels: readonly Float32Array[], rate: number, atMs: number): number {
  const first = Math.round((atMs * rate) / 1000);
  let most = 0;
  for (const channel of channels)
    for (let i = first; i < first + Math.round(rate / 1000); i++)
      most = Math.max(most, Math.abs(channel[i] ?? 0));
  return most;
}

/** Largest difference of the length of stretched music from what the ratio says, ms. */
function stretchLengthError(): number {
  const [first] = sounds;
  let largest = 0;
  for (const ratio of [0.94, 0.97, 1.03, 1.06]) {
    const length = Math.round((20 * first.rate) / ratio);
    const [out] = stretch(first.channels, first.rate, (sample) => sample * ratio, length);
    largest = Math.max(largest, (Math.abs(out.length * ratio - 20 * first.rate) * 1000) / first.rate);
  }
  return largest;
}

function quantiles(list: readonly number[]): { median: number; p95: number } {
  return { median: at(list, 0.5), p95: at(list, 0.95) };
}

function at(list: readonly number[], share: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return Math.round(value * 100) / 100;
}

function readBeats(file: string): Map<string, { ms: number; number: number }[]> {
  const found = new Map<string, { ms: number; number: number }[]>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
    const [name, seconds, number] = line.split('\t');
    if (number === undefined) continue;
    const key = name.replace(/\.midi?$/, '');
    const list = found.get(key) ?? [];
    list.push({ ms: Number(seconds) * 1000, number: Number(number) });
    found.set(key, list);
  }
  return found;
}

/** Reads a stereo WAV file of 16 bits and analyses it; beats are those of the notes. */
function load(path: string, beats: readonly { ms: number; number: number }[]): Sound {
  const bytes = readFileSync(path);
  const rate = bytes.readUInt32LE(24);
  const data = bytes.indexOf('data') + 8;
  const frames = Math.floor((bytes.length - data) / 4);
  const channels = [0, 1].map((c) =>
    Float32Array.from({ length: frames }, (_, i) => bytes.readInt16LE(data + 4 * i + 2 * c) / 32768),
  );
  const analysis = analyze(channels, rate);
  const curve = new LoudnessCurveMeter(analysisRateHz);
  curve.push(new Resampler(rate, analysisRateHz).process(channels[0]).slice());
  const durationMs = (frames * 1000) / rate;
  const inside = beats.filter(({ ms }) => ms < durationMs);
  const gaps = inside
    .slice(1)
    .map(({ ms }, i) => ms - inside[i].ms)
    .sort((x, y) => x - y);
  const meter = new LoudnessMeter(rate, 2);
  meter.push(channels);
  return {
    name: basename(path, '.wav'),
    rate,
    channels,
    track: {
      durationMs,
      tempoBpm: 60_000 / gaps[gaps.length >> 1],
      tempoConfidence: 1,
      beatsMs: inside.map(({ ms }) => ms),
      downbeatsMs: inside.filter(({ number }) => number === 1).map(({ ms }) => ms),
      loudness: meter.finish(),
      loudnessCurve: curve.finish(),
      cues: analysis.cues,
      ...(analysis.key === undefined ? {} : { key: analysis.key }),
    },
  };
}

function analyze(channels: readonly Float32Array[], rate: number): TrackAnalysis {
  const analyzer = new TrackAnalyzer(rate, 2);
  const resampler = new Resampler(rate, analysisRateHz);
  const mixed = channels[0].map((value, i) => (value + channels[1][i]) / 2);
  for (let at = 0; at < mixed.length; at += rate) {
    analyzer.pushChannels(channels.map((channel) => channel.subarray(at, at + rate)));
    analyzer.pushMono(resampler.process(mixed.subarray(at, at + rate)));
  }
  analyzer.pushMono(resampler.flush());
  return analyzer.finish();
}
