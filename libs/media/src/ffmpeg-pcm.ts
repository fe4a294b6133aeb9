import type { DecodeOptions } from './decoder.js';
import type { Speaker } from './downmix.js';
import type { PipedProcess } from './ffmpeg-process.js';
import { defaultStallTimeoutMs } from './pcm-blocks.js';
import { readWavStreamFormat } from './wav-stream.js';

/** A piece of a WAV stream: whole frames, one second at most. */
export type Pcm = Readonly<{
  sampleRateHz: number;
  speakers: readonly Speaker[];
  channels: readonly Float32Array[];
}>;

const maxBlockFrames = 192_000;

/**
 * Reads the WAV stream that a process writes, on demand.
 *
 * @throws {StalledError} @throws {AbortedError}
 */
export async function* readPcm(child: PipedProcess, options: DecodeOptions): AsyncGenerator<Pcm, void, void> {
  const stallMs = options.stallTimeoutMs ?? defaultStallTimeoutMs;
  let head = new Uint8Array(0);
  let format = readWavStreamFormat(head);
  while (!format) {
    const chunk = await child.read(stallMs, options.signal);
    if (!chunk) return;
    head = Buffer.concat([head, chunk]);
    format = readWavStreamFormat(head);
  }
  const { sampleRateHz, channels, speakers, dataOffset } = format;
  const block = new Uint8Array(Math.min(sampleRateHz, maxBlockFrames) * channels * 4);
  const samples = new Float32Array(block.buffer);
  let filled = 0;
  let chunk: Uint8Array | undefined = head.subarray(dataOffset);
  while (chunk) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + block.length - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < block.length) break;
      yield { sampleRateHz, speakers, channels: deinterleave(samples, channels) };
      filled = 0;
    }
    chunk = await child.read(stallMs, options.signal);
  }
  const whole = Math.floor(filled / (channels * 4)) * channels;
  if (whole > 0)
    yield { sampleRateHz, speakers, channels: deinterleave(samples.subarray(0, whole), channels) };
}

function deinterleave(samples: Float32Array, channels: number): Float32Array[] {
  const frames = samples.length / channels;
  return Array.from({ length: channels }, (_, channel) => {
    const out = new Float32Array(frames);
    for (let i = 0, at = channel; i < frames; i++, at += channels) out[i] = samples[at];
    return out;
  });
}
