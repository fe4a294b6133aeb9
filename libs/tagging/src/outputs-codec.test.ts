import { describe, expect, it } from 'vitest';
import { decodeOutputs, encodeOutputs, OutputsFormatError } from './outputs-codec.js';
import { outputsOf, plainModel, repeated } from './outputs-fixture.js';
import { tagTrack } from './tag-track.js';
import type { SegmentOutputs } from './tagger-model.js';

const heard: SegmentOutputs = {
  ...outputsOf([
    { 'mood/happy': 2.345_67, 'genre/jazz': -99 },
    'silent',
    ...repeated({ 'instrument/piano': 1 }, 3),
  ]),
  descriptors: Array.from({ length: 5 }, (_, k) => ({
    energy: 0.1,
    brightnessHz: 1500,
    onsetRateHz: 2.5,
    tempoFeel: 'moderate' as const,
    ...(k === 1 && { silentShare: 1 }),
    ...(k === 2 && { silentShare: 0.37 }),
    ...(k === 3 && { bareTone: true as const }),
  })),
};

describe('stored outputs of a model', () => {
  it('come back within a thousandth of a logit and half a percent of an embedding', () => {
    const { logits, embeddings, ...rest } = decodeOutputs(encodeOutputs(heard));
    const { logits: given, embeddings: vectors, ...others } = heard;
    expect(rest).toEqual(others);
    logits.forEach((logit, i) =>
      expect(logit).toBeCloseTo(Math.max(-32, Math.min(31.999_023_437_5, given[i])), 3),
    );
    embeddings.forEach((value, i) => {
      const k = Math.floor(i / plainModel.embeddingSize);
      const length = Math.hypot(...vectors.subarray(k * 2, k * 2 + 2));
      expect(Math.abs(value - vectors[i])).toBeLessThanOrEqual(0.005 * length);
    });
  });

  it('are a fixed point: tags made from them stay the same however often they are stored', () => {
    const once = decodeOutputs(encodeOutputs(heard));
    const { embedding: _, ...twice } = tagTrack(plainModel, decodeOutputs(encodeOutputs(once)), {
      all: true,
    });
    expect(tagTrack(plainModel, once, { all: true })).toMatchObject(twice);
  });

  it('are refused when they break off or come from another version', () => {
    const bytes = encodeOutputs(heard);
    expect(() => decodeOutputs(bytes.subarray(0, bytes.length - 1))).toThrow(OutputsFormatError);
    expect(() => decodeOutputs(Uint8Array.of(9, ...bytes.subarray(1)))).toThrow(OutputsFormatError);
    expect(() => decodeOutputs(new Uint8Array(3))).toThrow(OutputsFormatError);
  });
});
