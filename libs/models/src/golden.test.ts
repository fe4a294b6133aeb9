import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { goldenSignal } from './golden-signal.js';
import { ModelRegistry } from './model-registry.js';
import { TaggingSession } from './tagging-session.js';

const packed = z.object({ shape: z.array(z.number()), base64: z.string() });
const frontEndFile = z.object({ samples: z.number(), firstSamples: z.array(z.number()), logMel: packed });
const modelFile = z.object({ samples: z.number(), sha256: z.string(), logits: packed, embedding: packed });

function golden<T>(name: string, schema: z.ZodType<T>): T {
  const file = new URL(`../../../training/golden/${name}`, import.meta.url);
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

function unpacked({ base64 }: z.infer<typeof packed>): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

function largestDifference(x: Float32Array, y: Float32Array): number {
  expect(x.length).toBe(y.length);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
}

describe('golden vectors of training', () => {
  let session: TaggingSession;

  beforeAll(async () => {
    session = await TaggingSession.open((await ModelRegistry.open()).find().folder);
  });
  afterAll(() => session.close());

  it('makes the same signal', () => {
    const { firstSamples } = golden('front-end.json', frontEndFile);
    expect(largestDifference(goldenSignal(8), Float32Array.from(firstSamples))).toBeLessThan(1e-7);
  });

  it('gives the same log-mel within 1e-3', () => {
    const { samples, logMel } = golden('front-end.json', frontEndFile);
    const frontEnd = session.frontEnd();
    const head = frontEnd.process(goldenSignal(samples)).slice();
    const found = Float32Array.from([...head, ...frontEnd.flush()]);
    expect(largestDifference(found, unpacked(logMel))).toBeLessThanOrEqual(1e-3);
  });

  it('gives the same logits and embedding within 1e-3', async () => {
    const { samples, sha256, logits, embedding } = golden('tagger-1.json', modelFile);
    expect(sha256).toBe(session.manifest.sha256);
    const frontEnd = session.frontEnd();
    const head = frontEnd.process(goldenSignal(samples)).slice();
    const found = await session.run(Float32Array.from([...head, ...frontEnd.flush()]), 1);
    expect(largestDifference(found.logits, unpacked(logits))).toBeLessThanOrEqual(1e-3);
    expect(largestDifference(found.embeddings, unpacked(embedding))).toBeLessThanOrEqual(1e-3);
  });
});
