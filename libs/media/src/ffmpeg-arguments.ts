import { resolve } from 'node:path';
import type { ContainerName } from './detect-media.js';

/** FFmpeg's demuxer for each container that is let through; nothing else is ever opened. */
const demuxers: Readonly<Record<ContainerName, string>> = {
  wav: 'wav',
  mp3: 'mp3',
  flac: 'flac',
  ogg: 'ogg',
  mp4: 'mov',
  mov: 'mov',
  mkv: 'matroska',
  webm: 'matroska',
  mpegts: 'mpegts',
  adts: 'aac',
  aiff: 'aiff',
  caf: 'caf',
  asf: 'asf',
  avi: 'avi',
  flv: 'flv',
  mpegps: 'mpeg',
  ac3: 'ac3',
  amr: 'amr',
  w64: 'w64',
};

/**
 * Options before and with the input, the same for ffmpeg and ffprobe: local files only, the one demuxer that the content
 * asked for, bounded probing and allocations.
 */
export function inputArguments(path: string, container: ContainerName): string[] {
  const demuxer = demuxers[container];
  return [
    ...['-hide_banner', '-max_alloc', String(512 * 1_048_576)],
    ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', demuxer, '-f', demuxer],
    ...['-i', `file:${resolve(path)}`],
  ];
}

/** Arguments that decode the first audio track to a WAV stream of 32-bit floats on stdout. */
export function decodeArguments(path: string, container: ContainerName): string[] {
  return [
    ...['-nostdin', '-nostats', '-v', 'level+info', '-threads', '1'],
    ...inputArguments(path, container),
    ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-map_metadata', '-1'],
    ...['-c:a', 'pcm_f32le', '-bitexact', '-f', 'wav', 'pipe:1'],
  ];
}

/** Arguments of ffprobe that print the container and its streams as JSON. */
export function probeArguments(path: string, container: ContainerName): string[] {
  return [
    ...['-v', 'error', '-of', 'json', '-show_entries'],
    'format=duration:stream=codec_type,codec_name,sample_rate,channels,duration:stream_disposition=attached_pic',
    ...inputArguments(path, container),
  ];
}
