import { FLACDecoder } from '@wasm-audio-decoders/flac';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';
import { codecFrames, data, header, vorbisSetup, type OggPage } from 'codec-parser';
import type { AudioCodec } from 'mediabunny';
import { MPEGDecoder } from 'mpg123-decoder';
import { OpusDecoder } from 'opus-decoder';
import { openAac } from './aac-packet-decoder.js';
import { speakersOf } from './downmix.js';
import { DecodeFailedError, NeedsFfmpegError } from './media-error.js';
import type { DecodedPackets, PacketDecoder, TrackFormat } from './packet-decoder.js';
import { pcmPacketDecoder } from './pcm-packet-decoder.js';
import { quietly } from './quiet.js';
import { readOpusHead, splitVorbisHeaders } from './xiph-headers.js';

/**
 * Makes the decoder for a track.
 *
 * @throws {NeedsFfmpegError} for a codec without a permissively licensed decoder
 * @throws {DecodeFailedError} if the track's header makes no sense
 */
export async function openPacketDecoder(format: TrackFormat): Promise<PacketDecoder> {
  const open = openers[format.codec];
  if (open) return open(format);
  if (/^pcm-|^[au]law$/.test(format.codec)) return pcmPacketDecoder(format);
  throw new NeedsFfmpegError(format.codec);
}

const openers: Readonly<Partial<Record<AudioCodec, (format: TrackFormat) => Promise<PacketDecoder>>>> = {
  aac: openAac,
  mp3: openMp3,
  flac: openFlac,
  vorbis: openVorbis,
  opus: openOpus,
};

const nothing: DecodedPackets = { channels: [], errors: 1 };

async function openMp3(format: TrackFormat): Promise<PacketDecoder> {
  const decoder = new MPEGDecoder({ enableGapless: false });
  await decoder.ready;
  // mpg123 gives two equal channels for a mono stream.
  const channels = Math.min(format.channels, 2);
  return {
    sampleRateHz: format.sampleRateHz,
    speakers: speakersOf(channels, 'wave'),
    decode(packets) {
      const { value, complaints } = quietly(() => decoder.decode(Buffer.concat(packets)));
      return Promise.resolve(
        value ? { channels: value.channelData.slice(0, channels), errors: complaints } : nothing,
      );
    },
    free: () => void quietly(() => decoder.free()),
  };
}

async function openFlac(format: TrackFormat): Promise<PacketDecoder> {
  const decoder = new FLACDecoder();
  await decoder.ready;
  return {
    sampleRateHz: format.sampleRateHz,
    speakers: speakersOf(format.channels, 'wave'),
    async decode(packets) {
      const { value, complaints } = quietly(() => decoder.decodeFrames([...packets]));
      const decoded = await value;
      return decoded ? { channels: decoded.channelData, errors: complaints } : nothing;
    },
    free: () => void quietly(() => decoder.free()),
  };
}

async function openVorbis(format: TrackFormat): Promise<PacketDecoder> {
  const headers = format.description && splitVorbisHeaders(format.description);
  if (!headers) throw new DecodeFailedError('no Vorbis headers');
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  let first = true;
  return {
    sampleRateHz: format.sampleRateHz,
    speakers: speakersOf(format.channels, 'vorbis'),
    async decode(packets) {
      // The package takes parsed Ogg pages; these carry the same three things without any Ogg around them.
      const frames = packets.map((packet) => ({
        [data]: packet,
        [header]: { [vorbisSetup]: headers.setup },
      }));
      const page = { [data]: first ? headers.identification : new Uint8Array(1), [codecFrames]: frames };
      first = false;
      const { value, complaints } = quietly(() => decoder.decodeOggPages([page as unknown as OggPage]));
      const decoded = await value?.catch(() => undefined);
      return decoded ? { channels: decoded.channelData, errors: complaints } : nothing;
    },
    free: () => void quietly(() => decoder.free()),
  };
}

async function openOpus(format: TrackFormat): Promise<PacketDecoder> {
  const head = format.description && readOpusHead(format.description);
  if (format.description && !head) throw new DecodeFailedError('no Opus header');
  const channels = head?.channels ?? format.channels;
  const decoder = new OpusDecoder({
    channels,
    ...(head && {
      streamCount: head.streamCount,
      coupledStreamCount: head.coupledStreamCount,
      channelMappingTable: head.mapping,
    }),
  });
  await decoder.ready;
  return {
    sampleRateHz: 48_000,
    speakers: speakersOf(channels, 'vorbis'),
    decode(packets) {
      const { value, complaints } = quietly(() => decoder.decodeFrames([...packets]));
      return Promise.resolve(value ? { channels: value.channelData, errors: complaints } : nothing);
    },
    free: () => void quietly(() => decoder.free()),
  };
}
