import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { ModelError } from './model-error.js';

/** An ONNX file beside a manifest, and the SHA-256 that the manifest declares: 64 hexadecimal digits. */
export type GraphFile = Readonly<{ file: string; sha256: string }>;

/**
 * Opens a graph for one thread, after its hash has been checked; its idle threads do not spin.
 *
 * @throws {ModelError} `model.not-found`, `model.hash-mismatch` or `model.unloadable`
 */
export async function openGraph(folder: string, { file, sha256 }: GraphFile): Promise<InferenceSession> {
  const bytes = await readFile(path.join(folder, file)).catch((cause: unknown) => {
    throw new ModelError('model.not-found', folder, `no readable ${file}`, { cause });
  });
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256)
    throw new ModelError(
      'model.hash-mismatch',
      folder,
      `${file} has SHA-256 ${found}, declared is ${sha256}`,
    );
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
  } catch (cause) {
    throw new ModelError('model.unloadable', folder, `${file} is not a usable ONNX model`, { cause });
  }
}

/**
 * Numbers of an output.
 *
 * @throws {TypeError} if they are not float32
 */
export function floatsOf({ data, type }: Tensor): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError(`output is ${type}, not float32`);
  return data;
}
