/** The two Vorbis headers that a decoder needs. */
export type VorbisHeaders = Readonly<{ identification: Uint8Array; setup: Uint8Array }>;

/**
 * Splits Vorbis codec data in Xiph lacing, as Matroska stores them.
 *
 * @returns undefined if the lengths do not fit
 * @see https://www.matroska.org/technical/codec_specs.html, A_VORBIS
 */
export function splitVorbisHeaders(bytes: Uint8Array): VorbisHeaders | undefined {
  if (bytes[0] !== 2) return undefined;
  let at = 1;
  const lengths = [0, 0].map(() => {
    let length = 0;
    while (bytes[at] === 255) {
      length += 255;
      at++;
    }
    return length + (bytes[at++] ?? 0);
  });
  const setupStart = at + lengths[0] + lengths[1];
  if (lengths[0] < 30 || setupStart >= bytes.length) return undefined;
  return { identification: bytes.subarray(at, at + lengths[0]), setup: bytes.subarray(setupStart) };
}

/** Header of an Opus stream. @see RFC 7845, section 5.1 */
export type OpusHead = Readonly<{
  channels: number;
  /** Frames at 48 kHz to drop from the start. */
  preSkip: number;
  streamCount: number;
  coupledStreamCount: number;
  mapping: number[];
}>;

/** Reads an `OpusHead`; undefined if it is none or does not fit itself. */
export function readOpusHead(bytes: Uint8Array): OpusHead | undefined {
  if (bytes.length < 19 || String.fromCharCode(...bytes.subarray(0, 8)) !== 'OpusHead') return undefined;
  const channels = bytes[9];
  const preSkip = bytes[10] | (bytes[11] << 8);
  if (bytes[18] === 0) {
    if (channels !== 1 && channels !== 2) return undefined;
    return {
      channels,
      preSkip,
      streamCount: 1,
      coupledStreamCount: channels - 1,
      mapping: [0, 1].slice(0, channels),
    };
  }
  if (channels === 0 || bytes.length < 21 + channels) return undefined;
  const [streamCount, coupledStreamCount] = [bytes[19], bytes[20]];
  const mapping = [...bytes.subarray(21, 21 + channels)];
  const streams = streamCount + coupledStreamCount;
  if (streamCount === 0 || coupledStreamCount > streamCount || streams > 255) return undefined;
  if (mapping.some((stream) => stream >= streams && stream !== 255)) return undefined;
  return { channels, preSkip, streamCount, coupledStreamCount, mapping };
}
