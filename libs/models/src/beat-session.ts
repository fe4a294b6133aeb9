import { fileURLToPath } from 'node:url';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { floatsOf, openGraph } from './graph-file.js';
import { readManifestFile } from './manifest-file.js';
import { ModelError } from './model-error.js';

const graph = z.object({
  file: z.string().regex(/^[\w.-]+\.onnx$/, 'the name of an .onnx file beside the manifest'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
  bytes: z.int().positive(),
  parameters: z.int().positive(),
  columns: z.int().positive(),
});

const beatManifest = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('beat'),
  id: z.string().min(1),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'a version such as 1.0.0'),
  trains: graph.extend({ siblings: z.int().positive() }),
  downbeats: graph,
});

/** Manifest of a beat network: two graphs, each from rows of `columns` values to one value a row; trains also have siblings. */
export type BeatManifest = Readonly<z.infer<typeof beatManifest>>;

/** The beat network that comes with Earmark. */
export const bundledBeatModelFolder: string = fileURLToPath(new URL('../beat/beat-1/', import.meta.url));

/**
 * An open beat network: judges trains of beats, and the beats of a train. Both graphs run on the thread that calls; a
 * track takes a few milliseconds.
 */
export class BeatSession {
  private constructor(
    readonly manifest: BeatManifest,
    private readonly trains: InferenceSession,
    private readonly downbeats: InferenceSession,
  ) {}

  /**
   * Opens the network in a folder: checks manifest, hashes and names before anything runs.
   *
   * @throws {ModelError} `model.not-found`, `model.bad-manifest`, `model.hash-mismatch`, `model.unloadable` or
   * `model.shape-mismatch`
   */
  static async open(folder: string = bundledBeatModelFolder): Promise<BeatSession> {
    const manifest = await readManifestFile(folder, beatManifest);
    const trains = await openRows(folder, manifest.trains);
    const downbeats = await openRows(folder, manifest.downbeats);
    return new BeatSession(manifest, trains, downbeats);
  }

  /**
   * Judges trains of beats.
   *
   * @param rows row-major [trains, columns of the manifest]
   * @param siblings row-major [trains, siblings of the manifest]: places of trains, or their number for none
   * @returns a score a train
   * @throws {ModelError} `model.shape-mismatch` if the rows or siblings are not as wide as the graph's
   */
  scoreTrains(rows: Float32Array, siblings: Int32Array, trains: number): Promise<Float32Array> {
    return run(this.trains, this.manifest.trains, rows, trains, siblings);
  }

  /**
   * Judges the beats of one train, in order.
   *
   * @param rows row-major [beats, columns of the manifest]
   * @returns a logit a beat: that it begins a bar
   * @throws {ModelError} `model.shape-mismatch` if the rows are not as wide as the graph's
   */
  scoreDownbeats(rows: Float32Array, beats: number): Promise<Float32Array> {
    return run(this.downbeats, this.manifest.downbeats, rows, beats);
  }

  /** Frees both graphs. */
  async close(): Promise<void> {
    await this.trains.release();
    await this.downbeats.release();
  }
}

type Graph = z.infer<typeof graph>;

async function openRows(folder: string, { file, sha256 }: Graph): Promise<InferenceSession> {
  const session = await openGraph(folder, { file, sha256 });
  if (!session.inputNames.includes('rows') || !session.outputNames.includes('scores'))
    throw new ModelError('model.shape-mismatch', folder, `${file} has no input "rows" and output "scores"`);
  return session;
}

async function run(
  session: InferenceSession,
  { file, columns, siblings: related = 0 }: Graph & { siblings?: number },
  rows: Float32Array,
  count: number,
  siblings: Int32Array = new Int32Array(0),
): Promise<Float32Array> {
  if (rows.length !== count * columns)
    throw new ModelError(
      'model.shape-mismatch',
      file,
      `takes rows of ${columns}, got ${rows.length / count}`,
    );
  if (siblings.length !== count * related)
    throw new ModelError(
      'model.shape-mismatch',
      file,
      `takes ${related} siblings a row, got ${siblings.length / count}`,
    );
  const { scores } = await session.run({
    rows: new Tensor('float32', rows, [count, columns]),
    ...(related > 0 && { siblings: new Tensor('int32', siblings, [count, related]) }),
  });
  const values = floatsOf(scores);
  if (values.length !== count)
    throw new ModelError('model.shape-mismatch', file, `does not give one number a row`);
  return values;
}
