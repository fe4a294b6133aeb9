import { NeedsFfmpegError } from './media-error.js';
import { speakersOf } from './downmix.js';
import type { PacketDecoder, TrackFormat } from './packet-decoder.js';

const frameSamples = 1_024;
/** Packets decoded again before each batch: the transform overlaps by one frame. */
const overlapPackets = 2;
const rates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

type DecodedAudio = Readonly<{
  length: number;
  numberOfChannels: number;
  getChannelData(channel: number): Float32Array;
}>;
type DecodeAudioData = (bytes: ArrayBuffer) => Promise<DecodedAudio>;

/**
 * Makes a decoder for AAC-LC, mono or stereo, by the optional package `node-web-audio-api` (native, BSD, needs libasound).
 *
 * @throws {NeedsFfmpegError} where the package does not load, and for other profiles and channel counts
 */
export async function openAac(format: TrackFormat): Promise<PacketDecoder> {
  const header = adtsHeaderOf(format);
  const decodeAudioData = await loadDecoder(format);
  if (!decodeAudioData || header === undefined || format.channels > 2) throw new NeedsFfmpegError('aac');
  let before: readonly Uint8Array[] = [];
  return {
    sampleRateHz: format.sampleRateHz,
    speakers: speakersOf(format.channels, 'wave'),
    async decode(packets) {
      const run = [...before, ...packets];
      const skip = before.length * frameSamples;
      before = run.slice(-overlapPackets);
      const length = packets.length * frameSamples;
      const stream = Buffer.concat(
        run.flatMap((packet) => (header ? [header(packet.length), packet] : [packet])),
      );
      const result = await decodeAudioData(new Uint8Array(stream).buffer).catch(() => undefined);
      const decoded = result?.numberOfChannels === format.channels ? result : undefined;
      const channels = Array.from({ length: format.channels }, (_, channel) => {
        // What fails becomes silence, so that the rest keeps its place in time.
        const out = new Float32Array(length);
        if (decoded) out.set(decoded.getChannelData(channel).subarray(skip, skip + length));
        return out;
      });
      return { channels, errors: decoded?.length === skip + length ? 0 : 1 };
    },
    free: () => undefined,
  };
}

/** Tells whether AAC can be decoded without FFmpeg: the optional package loads. */
export async function canDecodeAacInProcess(): Promise<boolean> {
  return (await loadDecoder({ channels: 2, sampleRateHz: 44_100 })) !== undefined;
}

/**
 * Makes what precedes each packet; `null` for packets that carry ADTS headers of their own (no codec description).
 *
 * @returns undefined for profiles other than AAC-LC
 * @see ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig) and 1.A.2 (ADTS)
 */
function adtsHeaderOf({
  description,
  channels,
}: TrackFormat): ((bytes: number) => Uint8Array) | null | undefined {
  if (!description) return null;
  const objectType = description[0] >> 3;
  const rateIndex = ((description[0] & 7) << 1) | (description[1] >> 7);
  if (objectType !== 2 || rateIndex >= rates.length) return undefined;
  return (bytes) => {
    const length = bytes + 7;
    return Uint8Array.of(
      0xff,
      0xf1,
      0x40 | (rateIndex << 2) | (channels >> 2),
      ((channels & 3) << 6) | (length >> 11),
      (length >> 3) & 0xff,
      ((length & 7) << 5) | 0x1f,
      0xfc,
    );
  };
}

async function loadDecoder({
  channels,
  sampleRateHz,
}: Pick<TrackFormat, 'channels' | 'sampleRateHz'>): Promise<DecodeAudioData | undefined> {
  // A variable name: neither the compiler nor a bundler insists on the package.
  const name: string = 'node-web-audio-api';
  try {
    const { OfflineAudioContext } = (await import(name)) as {
      OfflineAudioContext: new (
        channels: number,
        frames: number,
        rateHz: number,
      ) => { decodeAudioData: DecodeAudioData };
    };
    const context = new OfflineAudioContext(channels, 1, sampleRateHz);
    return (bytes) => context.decodeAudioData(bytes);
  } catch {
    return undefined;
  }
}
