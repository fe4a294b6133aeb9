import { describe, expect, it } from 'vitest';
import { canDecodeAacInProcess } from './aac-packet-decoder.js';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { locateFfmpeg } from './ffmpeg-locate.js';
import { openMediaDecoder } from './open-media-decoder.js';
import { describeDecoding, type AacSupport } from './testing/decoder-contract.js';
import { describeRefusals } from './testing/refusal-contract.js';
import { WasmDecoder } from './wasm-decoder.js';

const programs = await locateFfmpeg();
const optionalAac: AacSupport = (await canDecodeAacInProcess()) ? 'decodes' : 'needs-ffmpeg';

describeDecoding('WASM', () => Promise.resolve(new WasmDecoder()), optionalAac);
describeRefusals('WASM', () => Promise.resolve(new WasmDecoder()));

describe('openMediaDecoder', () => {
  it('gives WASM where the PATH has no FFmpeg', async () => {
    expect((await openMediaDecoder({ searchPath: '/nowhere' })).name).toBe('wasm');
    expect((await openMediaDecoder({ ffmpegPath: '/nowhere/ffmpeg' })).name).toBe('wasm');
  });
});
describeDecoding('no FFmpeg on the PATH', () => openMediaDecoder({ searchPath: '/nowhere' }), optionalAac);

if (programs) {
  describeDecoding('FFmpeg', () => Promise.resolve(new FfmpegDecoder(programs)), 'decodes');
  describeRefusals('FFmpeg', () => Promise.resolve(new FfmpegDecoder(programs)));
  describeDecoding('both together', () => openMediaDecoder(), 'decodes');
  describeRefusals('both together', () => openMediaDecoder());
} else {
  it.skip('FFmpeg legs: no ffmpeg and ffprobe on the PATH of this machine', () => undefined);
}
