import type { DecodeOptions, DecodeSummary, MediaDecoder } from '../decoder.js';

/** A whole file in memory. */
export type DecodedFile = Readonly<{
  sampleRateHz: number;
  channels: readonly Float32Array[];
  /** Frames of each block, in order. */
  blockFrames: readonly number[];
  summary: DecodeSummary;
}>;

/** Decodes a whole file and checks that its blocks follow one another. */
export async function decodeAll(
  decoder: MediaDecoder,
  path: string,
  options?: DecodeOptions,
): Promise<DecodedFile> {
  const blocks = decoder.decode(path, options);
  const pieces: (readonly Float32Array[])[] = [];
  let sampleRateHz = 0;
  let frames = 0;
  for (;;) {
    const next = await blocks.next();
    if (next.done) {
      const channels = (pieces[0] ?? []).map((_, channel) => join(pieces.map((piece) => piece[channel])));
      return {
        sampleRateHz,
        channels,
        blockFrames: pieces.map(([first]) => first.length),
        summary: next.value,
      };
    }
    if (next.value.startFrame !== frames)
      throw new Error(`block starts at ${next.value.startFrame}, not ${frames}`);
    sampleRateHz = next.value.sampleRateHz;
    frames += next.value.channels[0].length;
    pieces.push(next.value.channels);
  }
}

function join(pieces: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Time of the loudest sample between two times, in milliseconds. */
export function loudestMs(samples: Float32Array, sampleRateHz: number, fromMs: number, toMs: number): number {
  const start = Math.round((fromMs / 1_000) * sampleRateHz);
  const end = Math.min(samples.length, Math.round((toMs / 1_000) * sampleRateHz));
  let best = start;
  for (let i = start; i < end; i++) if (Math.abs(samples[i]) > Math.abs(samples[best])) best = i;
  return (best / sampleRateHz) * 1_000;
}
