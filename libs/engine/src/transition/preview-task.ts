import { Resampler } from '@earmark/dsp';
import type { MediaDecoder } from '@earmark/media';
import { encodeWav, type MixPlan, type PreviewSpan, renderMix, type TrackAudio } from '@earmark/transition';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { DomainError } from '@earmark/kernel';

/** What a preview is written as. */
export type PreviewFormat = 'wav' | 'opus';

/** A part of a file, ms. */
export type FilePart = Readonly<{ path: string; startMs: number; endMs: number }>;

/** A preview to render into a file. */
export type PreviewTask = Readonly<{
  kind: 'preview';
  plan: MixPlan;
  span: PreviewSpan;
  from: FilePart;
  to: FilePart;
  format: PreviewFormat;
  out: string;
}>;

/** Opus asked of a machine that has no FFmpeg. */
export class OpusNeedsFfmpegError extends DomainError {
  readonly code = 'media.codec-needs-ffmpeg';
}

const rateHz = 48_000;
const opusBitsPerSecond = 128_000;

/** Decodes both parts, renders the mix and writes it. @param ffmpegPath FFmpeg; absent: there is none */
export async function renderPreview(
  decoder: MediaDecoder,
  task: PreviewTask,
  ffmpegPath: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const from = await readPart(decoder, task.from, signal);
  const to = await readPart(decoder, task.to, signal);
  const { channels } = renderMix(task.plan, from, to, rateHz, task.span);
  const wav = encodeWav(channels, rateHz);
  if (task.format === 'wav') {
    await writeFile(task.out, wav);
    return;
  }
  if (ffmpegPath === undefined)
    throw new OpusNeedsFfmpegError('only FFmpeg writes Opus, and there is none; a WAV preview needs nothing');
  await encodeOpus(ffmpegPath, wav, task.out, signal);
}

/** Decodes a part of a file to two channels at 48 kHz; decoding ends where the part ends. */
async function readPart(
  decoder: MediaDecoder,
  { path, startMs, endMs }: FilePart,
  signal: AbortSignal,
): Promise<TrackAudio> {
  const pieces: Float32Array[][] = [];
  let resamplers: Resampler[] = [];
  let firstMs = startMs;
  for await (const { sampleRateHz, channels, startFrame } of decoder.decode(path, { signal })) {
    const blockMs = (startFrame * 1000) / sampleRateHz;
    if (blockMs >= endMs) break;
    if (blockMs + (channels[0].length * 1000) / sampleRateHz <= startMs) continue;
    if (pieces.length === 0) {
      firstMs = blockMs;
      resamplers = channels.map(() => new Resampler(sampleRateHz, rateHz));
    }
    pieces.push(channels.map((samples, c) => resamplers[c].process(samples).slice()));
  }
  if (pieces.length > 0) pieces.push(resamplers.map((resampler) => resampler.flush().slice()));
  const joined = (c: number): Float32Array => {
    const out = new Float32Array(pieces.reduce((sum, piece) => sum + piece[c].length, 0));
    let at = 0;
    for (const piece of pieces) {
      out.set(piece[c], at);
      at += piece[c].length;
    }
    return out;
  };
  const left = joined(0);
  return { channels: [left, resamplers.length > 1 ? joined(1) : left], startMs: firstMs };
}

async function encodeOpus(
  ffmpegPath: string,
  wav: Uint8Array,
  out: string,
  signal: AbortSignal,
): Promise<void> {
  const words = ['-v', 'error', '-nostdin', '-y', '-f', 'wav', '-i', 'pipe:0', '-c:a', 'libopus'];
  const child = spawn(ffmpegPath, [...words, '-b:a', String(opusBitsPerSecond), '-f', 'ogg', out], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  child.stdin.on('error', () => undefined); // told again by the exit code
  child.stdin.end(wav);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`FFmpeg ended with ${code}: ${said}`);
}
