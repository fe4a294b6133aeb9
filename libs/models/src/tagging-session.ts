import { DspOptionError, LogMel } from '@earmark/dsp';
import { ontologyV1, type TaggerModel } from '@earmark/tagging';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { floatsOf, openGraph } from './graph-file.js';
import { readManifest, taggerModelOf, type ModelManifest } from './manifest.js';
import { ModelError } from './model-error.js';

/** Logits and embeddings of a batch. */
export type BatchOutputs = Readonly<{
  /** Row-major [batch, tags]. */
  logits: Float32Array;
  /** Row-major [batch, embeddingSize]. */
  embeddings: Float32Array;
}>;

const mostSegments = 8;

/**
 * An open tagging model: one inference session on one thread.
 *
 * `run` blocks the thread that calls it, so that a session belongs into a worker thread; 20 to 35 MB each.
 */
export class TaggingSession {
  /** What the interpretation of the outputs needs. */
  readonly model: TaggerModel;

  private constructor(
    readonly manifest: ModelManifest,
    /** Segments that one run takes. */
    readonly batchSegments: number,
    private readonly session: InferenceSession,
  ) {
    this.model = taggerModelOf(manifest);
  }

  /**
   * Opens the model in a folder: checks manifest, hash, names, shapes and tags before anything runs.
   *
   * @throws {ModelError} `model.not-found`, `model.bad-manifest`, `model.hash-mismatch`, `model.unloadable`,
   * `model.shape-mismatch` or `model.unknown-tag`
   */
  static async open(folder: string): Promise<TaggingSession> {
    const manifest = await readManifest(folder);
    checkTags(manifest, folder);
    checkFrontEnd(manifest, folder);
    const session = await openGraph(folder, manifest);
    const opened = new TaggingSession(manifest, checkGraph(session, manifest, folder), session);
    await opened.#probe(folder);
    return opened;
  }

  /** A front end as the model wants it, for one stream. */
  frontEnd(): LogMel {
    return frontEndOf(this.manifest);
  }

  /**
   * Runs the model.
   *
   * @param logMel row-major [batch, frames, bands]; read during the call only
   * @param batch 1 to {@link batchSegments}
   */
  async run(logMel: Float32Array, batch: number): Promise<BatchOutputs> {
    const { input, outputs } = this.manifest;
    const values = logMel.subarray(0, batch * input.frames * input.bands);
    const results = await this.session.run({
      [input.name]: new Tensor('float32', values, [batch, input.frames, input.bands]),
    });
    return {
      logits: floatsOf(results[outputs.logits.name]),
      embeddings: floatsOf(results[outputs.embedding.name]),
    };
  }

  /** Frees the session. */
  close(): Promise<void> {
    return this.session.release();
  }

  /** One run on silence: shapes that the graph leaves open must come out as the manifest says. */
  async #probe(folder: string): Promise<void> {
    const { input, outputs } = this.manifest;
    const batch = this.batchSegments > 1 ? 2 : 1;
    const wrong = (found: string): ModelError =>
      new ModelError('model.shape-mismatch', folder, `a run on ${batch} segments ${found}`);
    let heard: BatchOutputs;
    try {
      heard = await this.run(new Float32Array(batch * input.frames * input.bands), batch);
    } catch (cause) {
      await this.close();
      throw new ModelError('model.shape-mismatch', folder, 'the graph does not run on its declared input', {
        cause,
      });
    }
    const sizes = [
      ['logits', heard.logits.length, outputs.logits.size],
      ['embedding', heard.embeddings.length, outputs.embedding.size],
    ] as const;
    for (const [name, found, size] of sizes) {
      if (found === batch * size) continue;
      await this.close();
      throw wrong(`gives ${found} values as ${name}, declared are ${batch * size}`);
    }
  }
}

function checkTags({ tags }: ModelManifest, folder: string): void {
  const unknown = tags.filter(({ facet, tag }) => !ontologyV1.has(facet, tag));
  if (unknown.length === 0) return;
  const names = unknown.map(({ facet, tag }) => `${facet}/${tag}`).join(', ');
  throw new ModelError('model.unknown-tag', folder, `vocabulary ${ontologyV1.version} has no ${names}`);
}

function frontEndOf({
  frontEnd: { window: _, framing: __, norm, log: ___, ...options },
}: ModelManifest): LogMel {
  return new LogMel({ ...options, melNorm: norm, log: 'ln' });
}

function checkFrontEnd(manifest: ModelManifest, folder: string): void {
  try {
    frontEndOf(manifest);
  } catch (cause) {
    if (!(cause instanceof DspOptionError)) throw cause;
    throw new ModelError('model.bad-manifest', folder, `/frontEnd: ${cause.message}`, { cause });
  }
}

/** Compares the graph with the manifest and gives the batch that it takes. */
function checkGraph(session: InferenceSession, manifest: ModelManifest, folder: string): number {
  const { input, outputs } = manifest;
  const wanted = [
    ['input', session.inputMetadata, input.name, [input.frames, input.bands]],
    ['output', session.outputMetadata, outputs.logits.name, [outputs.logits.size]],
    ['output', session.outputMetadata, outputs.embedding.name, [outputs.embedding.size]],
  ] as const;
  let batch = mostSegments;
  for (const [side, metadata, name, sizes] of wanted) {
    const found = metadata.find((value) => value.name === name);
    const mismatch = (what: string): ModelError =>
      new ModelError('model.shape-mismatch', folder, `${side} "${name}" ${what}`);
    if (found === undefined)
      throw mismatch(`is not in the graph, which has ${metadata.map((value) => value.name).join(', ')}`);
    if (!found.isTensor || found.type !== 'float32') throw mismatch('is not a float32 tensor');
    const { shape } = found;
    const fits =
      shape.length === sizes.length + 1 &&
      sizes.every((size, i) => typeof shape[i + 1] !== 'number' || shape[i + 1] === size);
    if (!fits) throw mismatch(`has shape [${shape.join(', ')}], declared is [batch, ${sizes.join(', ')}]`);
    if (typeof shape[0] !== 'number') continue;
    if (shape[0] !== 1) throw mismatch(`has a fixed batch of ${shape[0]}, 1 or a free one is needed`);
    batch = 1;
  }
  return batch;
}
