import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modelSha256, modelSpec } from './transition-model.generated.js';
import { builtInModel } from './transition-model.js';

type Packed = Readonly<{ shape: readonly number[]; base64: string }>;
type Golden = Readonly<Record<'tail' | 'head' | 'tailCode' | 'headCode' | 'score', Packed>> &
  Readonly<{ sha256: string }>;

const root = new URL('../../../', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('training/golden/transition-1.json', root), 'utf8')) as Golden;

function rows({ shape, base64 }: Packed): Float32Array[] {
  const bytes = Buffer.from(base64, 'base64');
  const all = Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  return Array.from({ length: shape[0] }, (_, i) => all.subarray(i * shape[1], (i + 1) * shape[1]));
}

function largestDifference(x: Float32Array, y: Float32Array): number {
  expect(x.length).toBe(y.length);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
}

describe('the built-in weights', () => {
  const model = builtInModel();

  it('give the codes and scores of the exported ONNX model', () => {
    const [tails, heads, scores] = [rows(golden.tail), rows(golden.head), rows(golden.score)];
    tails.forEach((tail, i) => {
      const [tailCode, headCode] = [model.embed(tail, 'tail'), model.embed(heads[i], 'head')];
      expect(largestDifference(tailCode, rows(golden.tailCode)[i])).toBeLessThan(1e-4);
      expect(largestDifference(headCode, rows(golden.headCode)[i])).toBeLessThan(1e-4);
      expect(Math.abs(model.score(tailCode, headCode) - scores[i][0])).toBeLessThan(1e-4);
    });
  });

  it('come from the ONNX file that is shipped, version and hash', () => {
    const folder = new URL('libs/models/transition/transition-1/', root);
    const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as {
      sha256: string;
      version: string;
    };
    const file = createHash('sha256')
      .update(readFileSync(new URL('model.onnx', folder)))
      .digest('hex');
    expect([golden.sha256, manifest.sha256, modelSha256]).toEqual([file, file, file]);
    expect(manifest.version).toBe(modelSpec.version);
  });
});
