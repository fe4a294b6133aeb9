import { seededRandom } from '@earmark/kernel';
import { tagTrack, type TagResult } from '@earmark/tagging';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenSignal } from './golden-signal.js';
import { ModelRegistry } from './model-registry.js';
import { Tagger } from './tagger.js';
import { TaggingSession } from './tagging-session.js';

const rate = 16_000;

describe('tagger', () => {
  let session: TaggingSession;

  beforeAll(async () => {
    session = await TaggingSession.open((await ModelRegistry.open()).find().folder);
  });
  afterAll(() => session.close());

  async function hear(signal: Float32Array, blockSamples = 4096) {
    const tagger = new Tagger(session);
    for (let from = 0; from < signal.length; from += blockSamples)
      await tagger.push(signal.subarray(from, from + blockSamples));
    return tagger.finish();
  }

  async function tagsOf(signal: Float32Array): Promise<TagResult> {
    return tagTrack(session.model, await hear(signal), { all: true });
  }

  it('hears the same whatever the blocks', async () => {
    const signal = goldenSignal(12 * rate);
    const [small, large] = [await hear(signal, 777), await hear(signal, signal.length)];
    expect(small.count).toBe(5);
    expect(small).toEqual(large);
  });

  it('gives each segment what it would give alone', async () => {
    const signal = goldenSignal(24 * rate);
    const whole = await hear(signal);
    const alone = await hear(signal.subarray(3 * 40_000, 3 * 40_000 + 80_080));
    const width = session.model.tags.length;
    for (let t = 0; t < width; t++) expect(whole.logits[3 * width + t]).toBeCloseTo(alone.logits[t], 3);
  });

  it('drops a last segment with no more than a second of sound', async () => {
    expect((await hear(goldenSignal(56_000))).count).toBe(1);
    expect((await hear(goldenSignal(56_001))).count).toBe(2);
  });

  it('takes a file of 1 s as one segment', async () => {
    const result = await tagsOf(goldenSignal(rate));
    expect(result.durationMs).toBe(1000);
    expect(result.segments.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([[0, 1000]]);
    expect(Object.keys(result.scores?.mood ?? {})).toHaveLength(20);
  });

  it('takes an empty stream as silence', async () => {
    const { durationMs, tags, embedding } = await tagsOf(new Float32Array(0));
    expect(durationMs).toBe(0);
    expect(tags.map(({ tag }) => tag)).toEqual(['silence']);
    expect(embedding).toEqual(Array.from({ length: session.model.embeddingSize }, () => 0));
  });

  it.each([
    ['digital silence', () => 0],
    ['noise below -60 dBFS', seededNoise(0.0005)],
  ])('says nothing of %s but that it is silent', async (_, at) => {
    const result = await tagsOf(Float32Array.from({ length: 12 * rate }, at));
    expect(result.tags.map(({ facet, tag }) => `${facet}/${tag}`)).toEqual(['activity/silence']);
    expect(result.segments.every(({ tags }) => tags.length === 1)).toBe(true);
    expect(result.sentence).toEqual({ en: 'silence', zh: '静音' });
    expect(Object.values(result.scores?.genre ?? {}).every((score) => score === 0)).toBe(true);
    expect(result.embedding?.every((value) => value === 0)).toBe(true);
  });

  it.each([
    ['a pure tone', (_: unknown, n: number) => 0.5 * Math.sin((2 * Math.PI * 440 * n) / rate)],
    ['white noise', seededNoise(0.3)],
  ])('recognises no music in %s', async (_, at) => {
    const result = await tagsOf(Float32Array.from({ length: 10 * rate }, at));
    for (const facet of Object.values(result.scores ?? {}))
      for (const score of Object.values(facet)) expect(score >= 0 && score <= 1).toBe(true);
    expect(result.tags).toEqual([]);
    expect(result.sentence.en).toBe('no music recognised');
  });
});

function seededNoise(peak: number): () => number {
  const random = seededRandom(7);
  return () => peak * (2 * random.next() - 1);
}
