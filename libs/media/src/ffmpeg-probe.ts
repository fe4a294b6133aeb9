import type { DecodeOptions, MediaInfo } from './decoder.js';
import { probeArguments } from './ffmpeg-arguments.js';
import { PipedProcess } from './ffmpeg-process.js';
import { DecodeFailedError, NoAudioError } from './media-error.js';
import type { MediaFile } from './media-file.js';
import { defaultStallTimeoutMs } from './pcm-blocks.js';

const maxOutputBytes = 1_048_576;

/** Asks ffprobe for the first audio track. @throws {MediaError} */
export async function probeWithFfprobe(
  ffprobe: string,
  file: Pick<MediaFile, 'path' | 'container' | 'bytes'>,
  options: DecodeOptions,
): Promise<MediaInfo> {
  let said = '';
  const child = new PipedProcess(ffprobe, probeArguments(file.path, file.container), (text) => {
    said = (said + text).slice(0, 4_096);
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const chunk = await child.read(options.stallTimeoutMs ?? defaultStallTimeoutMs, options.signal);
      if (!chunk || bytes > maxOutputBytes) break;
      chunks.push(chunk);
      bytes += chunk.length;
    }
    await child.exit();
  } finally {
    await child.stop();
  }
  if (child.failure) throw new DecodeFailedError('ffprobe did not start', { cause: child.failure });
  return toMediaInfo(Buffer.concat(chunks).toString('utf8'), said, file);
}

type ProbedStream = Readonly<{
  codec_type?: string;
  codec_name?: string;
  sample_rate?: string;
  channels?: number;
  duration?: string;
  disposition?: Readonly<{ attached_pic?: number }>;
}>;
type Probed = Readonly<{ streams?: readonly ProbedStream[]; format?: Readonly<{ duration?: string }> }>;

function toMediaInfo(json: string, said: string, file: Pick<MediaFile, 'container' | 'bytes'>): MediaInfo {
  let probed: Probed;
  try {
    probed = JSON.parse(json) as Probed;
  } catch (cause) {
    throw new DecodeFailedError(said.trim() || 'ffprobe gave no answer', { cause });
  }
  const streams = probed.streams ?? [];
  if (streams.length === 0) throw new DecodeFailedError(said.trim() || 'no stream found');
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  if (!audio) throw new NoAudioError();
  const seconds = Number(audio.duration ?? probed.format?.duration);
  return {
    container: file.container,
    codec: shortCodec(audio.codec_name ?? 'unknown'),
    sampleRateHz: Number(audio.sample_rate ?? 0),
    channels: audio.channels ?? 0,
    ...(Number.isFinite(seconds) ? { durationMs: Math.round(seconds * 1_000) } : {}),
    bytes: file.bytes,
    hasVideo: streams.some(
      (stream) => stream.codec_type === 'video' && stream.disposition?.attached_pic !== 1,
    ),
  };
}

function shortCodec(name: string): string {
  return name.startsWith('pcm_') ? 'pcm' : name;
}
