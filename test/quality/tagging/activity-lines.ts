import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Random, seededRandom } from '@earmark/kernel';
import { listen, type MediaDecoder } from '@earmark/media';

/** What sounds during a stretch of a made-up time line. */
export const kinds = ['music', 'speech', 'both', 'noise', 'digital', 'hiss', 'room'] as const;
export type Kind = (typeof kinds)[number];

/** What there is to tell of a moment. */
export const activities = ['speech', 'music', 'silence'] as const;
export type Activity = (typeof activities)[number];

/** A stretch of one kind. */
export type Stretch = Readonly<{ kind: Kind; startMs: number; endMs: number }>;

/** Samples, mono, and what they are. */
export type Line = Readonly<{ samples: Float32Array; stretches: readonly Stretch[] }>;

/** Kinds that hold an activity; silence is digital, hiss at -70 dBFS, or a quiet room at -64 dBFS and below. */
const holds: Readonly<Record<Activity, readonly Kind[]>> = {
  speech: ['speech', 'both'],
  music: ['music', 'both'],
  silence: ['digital', 'hiss', 'room'],
};

/** How often a kind comes, in parts. */
const parts: Readonly<Record<Kind, number>> = {
  music: 6,
  speech: 4,
  both: 4,
  noise: 2,
  digital: 1.5,
  hiss: 1.5,
  room: 1.5,
};
const fadeMs = 50;
/** So much of a file is decoded. */
const mostSeconds = 75;

/** Share of a range in which an activity goes on, 0..1. */
export function shareOf(
  activity: Activity,
  stretches: readonly Stretch[],
  startMs: number,
  endMs: number,
): number {
  const held = stretches
    .filter(({ kind }) => holds[activity].includes(kind))
    .reduce((sum, one) => sum + Math.max(0, Math.min(one.endMs, endMs) - Math.max(one.startMs, startMs)), 0);
  return held / Math.max(1, endMs - startMs);
}

/** Audio files under a folder, sorted, of which the name begins with one of `names` (all if there are none). */
export function audioFiles(folder: string, names: readonly string[]): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(opus|ogg|mp3|flac|wav)$/.test(file))
    .filter(
      (file) => names.length === 0 || names.some((name) => (file.split('/').at(-1) ?? '').startsWith(name)),
    )
    .sort()
    .map((file) => join(folder, file));
}

/** Reads a line that {@link keepLine} kept. */
export function keptLine(path: string): Line | undefined {
  if (!existsSync(`${path}.json`)) return undefined;
  const bytes = readFileSync(`${path}.f32`);
  const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return { samples, stretches: JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Stretch[] };
}

/** Keeps a line in two files. */
export function keepLine(path: string, { samples, stretches }: Line): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.f32`, samples);
  writeFileSync(`${path}.json`, JSON.stringify(stretches));
}

/** Makes time lines of music, speech, both, noise and silences, levels and lengths drawn at random. */
export class LineMaker {
  readonly #decoded = new Map<string, Float32Array>();
  #random: Random = seededRandom(1);
  private readonly decoder: MediaDecoder;
  private readonly files: Readonly<Record<'music' | 'speech' | 'noise', readonly string[]>>;
  private readonly sampleRateHz: number;

  constructor(
    options: Readonly<{
      decoder: MediaDecoder;
      files: Readonly<Record<'music' | 'speech' | 'noise', readonly string[]>>;
      sampleRateHz: number;
    }>,
  ) {
    this.decoder = options.decoder;
    this.files = options.files;
    this.sampleRateHz = options.sampleRateHz;
  }

  /** A line of about `seconds`: stretches of 6 to 24 s, never twice the same kind in a row; one seed, one line. */
  async make(seconds: number, seed: number): Promise<Line> {
    this.#random = seededRandom(seed);
    const made: Float32Array[] = [];
    const stretches: Stretch[] = [];
    let startMs = 0;
    while (startMs < seconds * 1000) {
      const kind = this.#kind(stretches.at(-1)?.kind);
      const lengthMs = Math.round(this.#between(6000, 24_000));
      const samples = await this.#stretch(kind, Math.round((lengthMs / 1000) * this.sampleRateHz));
      const endMs = startMs + (samples.length / this.sampleRateHz) * 1000;
      made.push(samples);
      stretches.push({ kind, startMs, endMs });
      startMs = endMs;
    }
    const whole = new Float32Array(made.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const one of made) {
      whole.set(one, at);
      at += one.length;
    }
    return { samples: whole, stretches };
  }

  #between(low: number, high: number): number {
    return low + (high - low) * this.#random.next();
  }

  #kind(last: Kind | undefined): Kind {
    const open = kinds.filter((kind) => kind !== last);
    let left = this.#random.next() * open.reduce((sum, kind) => sum + parts[kind], 0);
    return open.find((kind) => (left -= parts[kind]) < 0) ?? 'music';
  }

  async #stretch(kind: Kind, count: number): Promise<Float32Array> {
    switch (kind) {
      case 'digital':
        return new Float32Array(count);
      case 'hiss':
        return atLevel(this.#hiss(count), -70);
      case 'room':
        return atLevel(await this.#cut('noise', count), this.#between(-72, -64));
      case 'noise':
        return this.#faded(atLevel(await this.#cut('noise', count), this.#between(-45, -22)));
      case 'music':
      case 'speech':
        return this.#faded(atLevel(await this.#cut(kind, count), this.#between(-28, -15)));
      case 'both': {
        const music = await this.#cut('music', count);
        const level = this.#between(-30, -18);
        atLevel(music, level);
        const speech = atLevel(await this.#cut('speech', music.length), level + this.#between(-4, 14));
        return this.#faded(music.map((value, i) => value + (speech[i] ?? 0)));
      }
    }
  }

  #hiss(count: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.#random.next() + this.#random.next() - 1);
  }

  /** A cut of a random file, repeated if it is shorter; cuts that are nearly silent are drawn again. */
  async #cut(kind: 'music' | 'speech' | 'noise', count: number): Promise<Float32Array> {
    for (let tries = 0; ; tries++) {
      const files = this.files[kind];
      const whole = await this.#decode(files[Math.floor(this.#random.next() * files.length)] ?? '');
      const from = Math.floor(this.#random.next() * Math.max(1, whole.length - count));
      const cut = Float32Array.from({ length: count }, (_, i) => whole[(from + i) % whole.length] ?? 0);
      if (levelOf(cut) > -50 || tries > 20) return cut;
    }
  }

  async #decode(file: string): Promise<Float32Array> {
    const known = this.#decoded.get(file);
    if (known !== undefined) return known;
    const blocks: Float32Array[] = [];
    const most = mostSeconds * this.sampleRateHz;
    const enough = new AbortController();
    let heard = 0;
    const push = ([mono]: readonly Float32Array[]): void => {
      if (mono === undefined) return;
      blocks.push(mono.slice());
      heard += mono.length;
      if (heard >= most) enough.abort();
    };
    const consumer = { sampleRateHz: this.sampleRateHz, channels: 1 as const, push };
    try {
      await listen(this.decoder, file, [consumer], { signal: enough.signal });
    } catch (error) {
      if (!enough.signal.aborted) throw error;
    }
    const whole = new Float32Array(blocks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const block of blocks) {
      whole.set(block, at);
      at += block.length;
    }
    this.#decoded.set(file, whole);
    return whole;
  }

  #faded(samples: Float32Array): Float32Array {
    const count = Math.round((fadeMs / 1000) * this.sampleRateHz);
    for (let i = 0; i < count; i++) {
      samples[i] = ((samples[i] ?? 0) * i) / count;
      const last = samples.length - 1 - i;
      samples[last] = ((samples[last] ?? 0) * i) / count;
    }
    return samples;
  }
}

function levelOf(samples: Float32Array): number {
  const power = samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length);
  return 10 * Math.log10(power + 1e-20);
}

/** Scales in place to a level in dBFS RMS. */
function atLevel(samples: Float32Array, levelDb: number): Float32Array {
  const gain = 10 ** ((levelDb - levelOf(samples)) / 20);
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * gain;
  return samples;
}
