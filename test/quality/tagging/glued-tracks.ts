import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '@earmark/kernel';
import { listen, openMediaDecoder, type MediaDecoder } from '@earmark/media';
import { type ModelEntry, networkOf, Tagger, TaggingSession } from '@earmark/models';
import { decodeOutputs, encodeOutputs, type SegmentOutputs } from '@earmark/tagging';

/** Two tracks one after the other, each with its own mood, or one alone. */
export type Piece = Readonly<{
  files: readonly string[];
  /** Opposed moods, in the order of the files; none for a steady track. */
  moods: readonly string[];
}>;

/** The opposed moods that are glued, and the words of the composer that mean them. */
const opposed = [
  {
    tags: ['relaxing-calm', 'exciting-energetic'],
    feels: [
      ['Relaxed', 'Calming'],
      ['Driving', 'Action'],
    ],
  },
  {
    tags: ['happy', 'scary-dark'],
    feels: [
      ['Bright', 'Uplifting'],
      ['Dark', 'Eerie', 'Unnerving'],
    ],
  },
] as const;

/** Files by what their composer says of them; LABELS.tsv has the columns file and feel ("Relaxed, Bright"). */
export function readFeels(labels: string): ReadonlyMap<string, ReadonlySet<string>> {
  const [header = [], ...rows] = readFileSync(labels, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  const at = (row: readonly string[], name: string): string => row[header.indexOf(name)] ?? '';
  return new Map(rows.map((row) => [at(row, 'file'), new Set(at(row, 'feel').split(', '))]));
}

/** How high teachers rank a mood in a file among all files, 0..1; their answers are in the harness' form, a line a file. */
export function readRanks(answers: string): (file: string, mood: string) => number {
  const ranks = new Map(
    readFileSync(answers, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const { file, scores } = JSON.parse(line) as TeacherAnswer;
        return [file, scores.mood] as const;
      }),
  );
  return (file, mood) => ranks.get(file)?.[mood] ?? 0.5;
}

/**
 * How the files of a mood are chosen. `label`: by the composer's words. `agreed`: the teachers, too, rank the mood above its
 * opposite. `teachers`: they rank it in their upper 35 % and the opposite in their lower 35 %, whatever the composer says.
 */
export type PoolKind = 'label' | 'agreed' | 'teachers';

type TeacherAnswer = Readonly<{ file: string; scores: Readonly<{ mood: Readonly<Record<string, number>> }> }>;

/** Draws pairs of opposed moods, half of each kind, every second one turned round; and as many steady tracks. */
export function drawPieces(
  feels: ReadonlyMap<string, ReadonlySet<string>>,
  pairs: number,
  seed: number,
  pool: PoolKind = 'label',
  rankOf: (file: string, mood: string) => number = () => 0.5,
): Readonly<{ glued: readonly Piece[]; steady: readonly Piece[] }> {
  const random = seededRandom(seed);
  const shuffled = (files: readonly string[]): string[] =>
    files
      .map((file) => [random.next(), file] as const)
      .sort(([a], [b]) => a - b)
      .map(([, file]) => file);
  const filesWith = (
    [mood, opposite]: readonly [string, string],
    wanted: readonly string[],
    unwanted: readonly string[],
  ): string[] =>
    [...feels]
      .filter(([file, has]) => {
        const [own, other] = [rankOf(file, mood), rankOf(file, opposite)];
        if (pool === 'teachers') return own > 0.65 && other < 0.35;
        if (pool === 'agreed' && own <= other) return false;
        return wanted.some((feel) => has.has(feel)) && !unwanted.some((feel) => has.has(feel));
      })
      .map(([file]) => file)
      .sort();
  const glued = opposed.flatMap(({ tags: [x, y], feels: [left, right] }): Piece[] => {
    const a = shuffled(filesWith([x, y], left, right));
    const b = shuffled(filesWith([y, x], right, left));
    return Array.from({ length: Math.min(a.length, b.length, pairs / 2) }, (_, i) => {
      const files = [a[i] ?? '', b[i] ?? ''];
      return i % 2 === 0 ? { files, moods: [x, y] } : { files: files.reverse(), moods: [y, x] };
    });
  });
  const steady = shuffled([...new Set(glued.flatMap(({ files }) => files))])
    .slice(0, pairs)
    .map((file) => ({ files: [file], moods: [] }));
  return { glued, steady };
}

/** Hears the first seconds of files, one after the other, and keeps what was heard in a folder. */
export class PieceListener {
  readonly #samples = new Map<string, Float32Array>();
  #decoder: Promise<MediaDecoder> | undefined;
  #session: Promise<TaggingSession> | undefined;
  private readonly entry: ModelEntry;
  private readonly folder: string;
  private readonly seconds: number;
  private readonly cache: string | undefined;

  constructor(
    options: Readonly<{ entry: ModelEntry; folder: string; seconds: number; cache?: string | undefined }>,
  ) {
    this.entry = options.entry;
    this.folder = options.folder;
    this.seconds = options.seconds;
    this.cache = options.cache;
  }

  /** What the network hears in a piece, and where its second file begins in milliseconds. */
  async hear({ files }: Piece): Promise<Readonly<{ outputs: SegmentOutputs; borderMs: number }>> {
    const name = `${networkOf(this.entry.manifest).slice(0, 12)}-${this.seconds}-${files.join('+')}`;
    const path = this.cache === undefined ? undefined : join(this.cache, `${name}.bin`);
    if (path !== undefined && existsSync(path)) {
      const bytes = readFileSync(path);
      return { borderMs: bytes.readUInt32LE(0), outputs: decodeOutputs(bytes.subarray(4)) };
    }
    this.#session ??= TaggingSession.open(this.entry.folder);
    const tagger = new Tagger(await this.#session);
    let borderMs = 0;
    for (const [i, file] of files.entries()) {
      const samples = await this.#samplesOf(file);
      if (i === 0) borderMs = Math.round((samples.length / tagger.sampleRateHz) * 1000);
      await tagger.push(samples);
    }
    const bytes = encodeOutputs(await tagger.finish());
    if (path !== undefined && this.cache !== undefined) {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(borderMs);
      mkdirSync(this.cache, { recursive: true });
      writeFileSync(path, Buffer.concat([head, bytes]));
    }
    return { outputs: decodeOutputs(bytes), borderMs };
  }

  async close(): Promise<void> {
    await (await this.#session)?.close();
  }

  async #samplesOf(file: string): Promise<Float32Array> {
    const known = this.#samples.get(file);
    if (known !== undefined) return known;
    this.#decoder ??= openMediaDecoder();
    const rate = this.entry.manifest.frontEnd.sampleRateHz;
    const path =
      this.cache === undefined ? undefined : join(this.cache, `${rate}-${this.seconds}-${file}.f32`);
    if (path !== undefined && existsSync(path)) {
      const bytes = readFileSync(path);
      const kept = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      this.#samples.set(file, kept);
      return kept;
    }
    const samples = new Float32Array(this.seconds * rate);
    let filled = 0;
    const enough = new AbortController();
    const push = ([mono]: readonly Float32Array[]): void => {
      const part = (mono ?? new Float32Array(0)).subarray(0, samples.length - filled);
      samples.set(part, filled);
      filled += part.length;
      if (filled === samples.length) enough.abort();
    };
    const consumer = { sampleRateHz: rate, channels: 1 as const, push };
    try {
      await listen(await this.#decoder, join(this.folder, file), [consumer], { signal: enough.signal });
    } catch (error) {
      if (!enough.signal.aborted) throw error;
    }
    const cut = samples.subarray(0, filled);
    this.#samples.set(file, cut);
    if (path !== undefined && this.cache !== undefined) {
      mkdirSync(this.cache, { recursive: true });
      writeFileSync(path, cut);
    }
    return cut;
  }
}
