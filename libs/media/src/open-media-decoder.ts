import type { MediaDecoder } from './decoder.js';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { locateFfmpeg } from './ffmpeg-locate.js';
import { WasmDecoder } from './wasm-decoder.js';

/** Which decoder to open. */
export type MediaDecoderOptions = Readonly<{
  /** FFmpeg to use; absent: the first one in `searchPath`. */
  ffmpegPath?: string;
  /** `auto` (default) takes what is there; `wasm` never starts another program; `ffmpeg` falls back to WASM if absent. */
  prefer?: 'auto' | 'ffmpeg' | 'wasm';
  /** Folders to search, separated as in PATH, which is the default. */
  searchPath?: string;
}>;

/** Opens the best decoder that this machine offers. */
export async function openMediaDecoder(options: MediaDecoderOptions = {}): Promise<MediaDecoder> {
  const wasm = new WasmDecoder();
  if (options.prefer === 'wasm') return wasm;
  const programs = await locateFfmpeg(options.ffmpegPath, options.searchPath ?? process.env.PATH ?? '');
  return programs ? new FfmpegDecoder(programs) : wasm;
}
