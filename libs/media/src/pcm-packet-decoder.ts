import { speakersOf } from './downmix.js';
import { NeedsFfmpegError } from './media-error.js';
import type { PacketDecoder, TrackFormat } from './packet-decoder.js';

type SampleReader = Readonly<{ bytes: number; read: (view: DataView, at: number) => number }>;

/** Makes a decoder for uncompressed samples. @throws {NeedsFfmpegError} for an unknown layout */
export function pcmPacketDecoder(format: TrackFormat): PacketDecoder {
  const reader = sampleReader(format.codec);
  if (!reader) throw new NeedsFfmpegError(format.codec);
  return {
    sampleRateHz: format.sampleRateHz,
    speakers: speakersOf(format.channels, 'wave'),
    decode: (packets) =>
      Promise.resolve({ channels: decodePcm(packets, format.channels, reader), errors: 0 }),
    free: () => undefined,
  };
}

function decodePcm(
  packets: readonly Uint8Array[],
  channels: number,
  { bytes, read }: SampleReader,
): Float32Array[] {
  const frameBytes = bytes * channels;
  const frames = packets.reduce((sum, packet) => sum + Math.floor(packet.length / frameBytes), 0);
  const out = Array.from({ length: channels }, () => new Float32Array(frames));
  let frame = 0;
  for (const packet of packets) {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    for (let at = 0; at + frameBytes <= packet.length; frame++) {
      for (let channel = 0; channel < channels; channel++, at += bytes) out[channel][frame] = read(view, at);
    }
  }
  return out;
}

function sampleReader(codec: string): SampleReader | undefined {
  const little = !codec.endsWith('be');
  switch (codec.replace(/be$/, '')) {
    case 'pcm-u8':
      return { bytes: 1, read: (view, at) => (view.getUint8(at) - 128) / 128 };
    case 'pcm-s8':
      return { bytes: 1, read: (view, at) => view.getInt8(at) / 128 };
    case 'pcm-s16':
      return { bytes: 2, read: (view, at) => view.getInt16(at, little) / 32_768 };
    case 'pcm-s24':
      return little
        ? {
            bytes: 3,
            read: (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608,
          }
        : { bytes: 3, read: (view, at) => ((view.getInt8(at) << 16) | view.getUint16(at + 1)) / 8_388_608 };
    case 'pcm-s32':
      return { bytes: 4, read: (view, at) => view.getInt32(at, little) / 2_147_483_648 };
    case 'pcm-f32':
      return { bytes: 4, read: (view, at) => view.getFloat32(at, little) };
    case 'pcm-f64':
      return { bytes: 8, read: (view, at) => view.getFloat64(at, little) };
    case 'ulaw':
      return { bytes: 1, read: (view, at) => expandMuLaw(view.getUint8(at)) };
    case 'alaw':
      return { bytes: 1, read: (view, at) => expandALaw(view.getUint8(at)) };
    default:
      return undefined;
  }
}

/** @see ITU-T G.711 */
function expandMuLaw(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return (code & 0x80 ? -magnitude : magnitude) / 32_768;
}

/** @see ITU-T G.711 */
function expandALaw(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return (code & 0x80 ? magnitude : -magnitude) / 32_768;
}
