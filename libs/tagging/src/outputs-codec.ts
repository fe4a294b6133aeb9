import { DomainError } from '@earmark/kernel';
import { tempoFeelOf } from './segment-meter.js';
import type { SegmentDescriptors, SegmentOutputs } from './tagger-model.js';

/** Stored outputs that break off, or that another version wrote. */
export class OutputsFormatError extends DomainError {
  readonly code = 'tagging.bad-outputs';
}

const formatVersion = 1;
const headerBytes = 18;
/** Logits are kept in steps of 1/1024 up to +-32, far beyond what changes a probability. */
const logitSteps = 1024;

/**
 * Packs what a model heard, about 500 bytes a segment: logits with 16 bits, embeddings as directions with 8 bits and
 * their lengths, levels and descriptors. Another calibration of the same network can then speak without the audio.
 */
export function encodeOutputs(outputs: SegmentOutputs): Uint8Array {
  const { count, logits, embeddings, rmsDb, descriptors } = outputs;
  const tags = logits.length / count;
  const size = embeddings.length / count;
  const perSegment = 2 * tags + size + 8 + (descriptors === undefined ? 0 : 13);
  const bytes = new Uint8Array(headerBytes + count * perSegment);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, formatVersion);
  view.setUint8(1, descriptors === undefined ? 0 : 1);
  view.setUint32(2, count, true);
  view.setUint16(6, tags, true);
  view.setUint16(8, size, true);
  view.setFloat64(10, outputs.durationMs, true);
  let at = headerBytes;
  const float = (value: number): void => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  for (let k = 0; k < count; k++) {
    for (let t = 0; t < tags; t++, at += 2) {
      const steps = Math.round(logits[k * tags + t] * logitSteps);
      view.setInt16(at, Math.max(-32_768, Math.min(32_767, steps)), true);
    }
    const one = embeddings.subarray(k * size, (k + 1) * size);
    const length = Math.hypot(...one);
    for (let i = 0; i < size; i++, at++)
      view.setInt8(at, length > 0 ? Math.round((127 * one[i]) / length) : 0);
    float(length);
    float(rmsDb[k]);
    const said = descriptors?.[k];
    if (said === undefined) continue;
    float(said.energy);
    float(said.brightnessHz);
    float(said.onsetRateHz);
    view.setUint8(at++, (said.bareTone === true ? 1 : 0) + 2 * Math.round(100 * (said.silentShare ?? 0)));
  }
  return bytes;
}

/**
 * Reads what {@link encodeOutputs} wrote.
 *
 * @throws {OutputsFormatError} if the bytes break off or are of another version
 */
export function decodeOutputs(bytes: Uint8Array): SegmentOutputs {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes || view.getUint8(0) !== formatVersion)
    throw new OutputsFormatError('stored outputs of a model are of an unknown version');
  const hasDescriptors = view.getUint8(1) === 1;
  const count = view.getUint32(2, true);
  const tags = view.getUint16(6, true);
  const size = view.getUint16(8, true);
  if (bytes.length !== headerBytes + count * (2 * tags + size + 8 + (hasDescriptors ? 13 : 0)))
    throw new OutputsFormatError('stored outputs of a model break off');
  const logits = new Float32Array(count * tags);
  const embeddings = new Float32Array(count * size);
  const rmsDb = new Float32Array(count);
  const descriptors: SegmentDescriptors[] = [];
  let at = headerBytes;
  const float = (): number => {
    at += 4;
    return view.getFloat32(at - 4, true);
  };
  for (let k = 0; k < count; k++) {
    for (let t = 0; t < tags; t++, at += 2) logits[k * tags + t] = view.getInt16(at, true) / logitSteps;
    const start = at;
    at += size;
    const scale = float() / 127;
    for (let i = 0; i < size; i++) embeddings[k * size + i] = scale * view.getInt8(start + i);
    rmsDb[k] = float();
    if (!hasDescriptors) continue;
    const energy = rounded(float(), 5);
    const brightnessHz = Math.round(float());
    const onsetRateHz = rounded(float(), 2);
    const flags = view.getUint8(at++);
    const bareTone = (flags & 1) === 1;
    const silentShare = (flags >> 1) / 100;
    descriptors.push({
      energy,
      brightnessHz,
      onsetRateHz,
      tempoFeel: tempoFeelOf(onsetRateHz),
      ...(silentShare > 0 && { silentShare }),
      ...(bareTone && { bareTone }),
    });
  }
  return {
    durationMs: view.getFloat64(10, true),
    count,
    logits,
    embeddings,
    rmsDb,
    ...(hasDescriptors && { descriptors }),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
