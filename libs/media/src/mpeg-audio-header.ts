/** One frame header of MPEG audio (layers I to III) or ADTS. */
export type MpegAudioHeader = Readonly<{
  kind: 'mp3' | 'adts';
  frameBytes: number;
  frameSamples: number;
  sampleRateHz: number;
  channels: number;
  /** Version, layer and rate: equal in all frames of one stream. */
  identity: string;
}>;

const bitrates: Readonly<Record<string, readonly number[]>> = {
  v1l1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  v1l2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  v1l3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  v2l1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  v2l2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const mpegRates = [44_100, 48_000, 32_000];
const adtsRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];

/**
 * Reads a frame header.
 *
 * @returns undefined where there is no valid header (free-format streams included)
 * @see ISO/IEC 11172-3, 2.4.2.3 and ISO/IEC 14496-3, 1.A.2 (ADTS)
 */
export function readMpegAudioHeader(bytes: Uint8Array, offset: number): MpegAudioHeader | undefined {
  if (offset + 4 > bytes.length || bytes[offset] !== 0xff) return undefined;
  const second = bytes[offset + 1];
  if ((second & 0xf6) === 0xf0) return readAdtsHeader(bytes, offset);
  if ((second & 0xe0) !== 0xe0) return undefined;
  const version = (second >> 3) & 3;
  const layer = 4 - ((second >> 1) & 3);
  const third = bytes[offset + 2];
  const rateIndex = (third >> 2) & 3;
  const bitrateIndex = third >> 4;
  if (version === 1 || layer === 4 || rateIndex === 3 || bitrateIndex === 15 || bitrateIndex === 0)
    return undefined;
  const first = version === 3;
  const table = first ? `v1l${layer}` : layer === 1 ? 'v2l1' : 'v2l2';
  const bitrate = bitrates[table][bitrateIndex] * 1_000;
  const sampleRateHz = mpegRates[rateIndex] >> (first ? 0 : version === 2 ? 1 : 2);
  const padding = (third >> 1) & 1;
  const frameSamples = layer === 1 ? 384 : layer === 2 || first ? 1_152 : 576;
  const frameBytes =
    layer === 1
      ? (Math.floor((12 * bitrate) / sampleRateHz) + padding) * 4
      : Math.floor((frameSamples / 8) * (bitrate / sampleRateHz)) + padding;
  const channels = bytes[offset + 3] >> 6 === 3 ? 1 : 2;
  return {
    kind: 'mp3',
    frameBytes,
    frameSamples,
    sampleRateHz,
    channels,
    identity: `${version}/${layer}/${rateIndex}`,
  };
}

function readAdtsHeader(bytes: Uint8Array, offset: number): MpegAudioHeader | undefined {
  if (offset + 7 > bytes.length) return undefined;
  const rateIndex = (bytes[offset + 2] >> 2) & 15;
  const sampleRateHz = adtsRates[rateIndex];
  const frameBytes = ((bytes[offset + 3] & 3) << 11) | (bytes[offset + 4] << 3) | (bytes[offset + 5] >> 5);
  if (sampleRateHz === undefined || frameBytes < 8) return undefined;
  const channels = ((bytes[offset + 2] & 1) << 2) | (bytes[offset + 3] >> 6);
  return {
    kind: 'adts',
    frameBytes,
    frameSamples: 1_024,
    sampleRateHz,
    channels,
    identity: `a/${rateIndex}`,
  };
}

/**
 * Finds the first run of frames that follow one another: 4, or all that fit before the end of `bytes` (at least 2).
 *
 * @returns the kind and the offset of the first frame
 */
export function findMpegAudio(
  bytes: Uint8Array,
): Readonly<{ kind: 'mp3' | 'adts'; offset: number }> | undefined {
  for (let offset = bytes.indexOf(0xff); offset !== -1; offset = bytes.indexOf(0xff, offset + 1)) {
    const first = readMpegAudioHeader(bytes, offset);
    if (first && followsItself(bytes, offset, first)) return { kind: first.kind, offset };
  }
  return undefined;
}

function followsItself(bytes: Uint8Array, start: number, first: MpegAudioHeader): boolean {
  let offset = start;
  for (let frames = 0; frames < 4; frames++) {
    const header = readMpegAudioHeader(bytes, offset);
    if (!header) return frames >= 2 && offset + 7 > bytes.length;
    if (header.identity !== first.identity) return false;
    offset += header.frameBytes;
  }
  return true;
}
