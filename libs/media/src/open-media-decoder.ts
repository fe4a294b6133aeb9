import type { MediaDecoder } from './decoder.js';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { locateFfmpeg } from './ffmpeg-locate.js';
import { PairedDecoder } from './paired-decoder.js';
import { WasmDecoder } from './wasm-decoder.js';

/** Which decoder to open. */
export type MediaDecoderOptions = Readonly<{
  /** FFmpeg to use; absent: the first one in `searchPath`. */
  ffmpegPath?: string;
  /**
   * `auto` (default): FFmpeg where it is installed, short clips in this process. `wasm` never starts another program.
   * `ffmpeg` uses nothing else where it is installed. Without FFmpeg all three give the WASM decoder.
   */
  prefer?: 'auto' | 'ffmpeg' | 'wasm';
  /** Folders to search, separated as in PATH, which is the default. */
  searchPath?: string;
}>;

/** Opens the best decoder that this machine offers. */
export async function openMediaDecoder(options: MediaDecoderOptions = {}): Promise<MediaDecoder> {
  const wasm = new WasmDecoder();
  if (options.prefer === 'wasm') return wasm;
  const programs = await locateFfmpeg(options.ffmpegPath, options.searchPath);
  if (!programs) return wasm;
  const ffmpeg = new FfmpegDecoder(programs);
  return options.prefer === 'ffmpeg' ? ffmpeg : new PairedDecoder(ffmpeg, wasm);
}
