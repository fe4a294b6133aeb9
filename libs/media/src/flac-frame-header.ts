/** What a FLAC frame's header says, as far as a reader needs it. */
export type FlacFrameHeader = Readonly<{
  frameSamples: number;
  /** Rate, sample size and blocking strategy codes: equal in all frames of one stream. */
  identity: number;
}>;

/** Longest header: sync, codes, 7-byte number, block size, rate, CRC. */
export const maxFlacHeaderBytes = 16;

/**
 * Reads a frame header and checks its CRC-8.
 *
 * @returns undefined where there is no valid header
 * @see RFC 9639, section 9.1
 */
export function readFlacFrameHeader(bytes: Uint8Array, at: number): FlacFrameHeader | undefined {
  if (bytes[at] !== 0xff || (bytes[at + 1] & 0xfe) !== 0xf8) return undefined;
  const sizeCode = bytes[at + 2] >> 4;
  const rateCode = bytes[at + 2] & 15;
  const depthCode = (bytes[at + 3] >> 1) & 7;
  if (sizeCode === 0 || rateCode === 15 || bytes[at + 3] >> 4 > 10 || bytes[at + 3] & 1 || depthCode === 3) {
    return undefined;
  }
  const numberBytes = codedNumberBytes(bytes[at + 4]);
  if (numberBytes === undefined) return undefined;
  let next = at + 4 + numberBytes;
  let frameSamples: number;
  if (sizeCode === 6) frameSamples = bytes[next++] + 1;
  else if (sizeCode === 7) {
    frameSamples = ((bytes[next] << 8) | bytes[next + 1]) + 1;
    next += 2;
  } else if (sizeCode === 1) frameSamples = 192;
  else frameSamples = sizeCode < 6 ? 576 << (sizeCode - 2) : 256 << (sizeCode - 8);
  next += rateCode === 12 ? 1 : rateCode === 13 || rateCode === 14 ? 2 : 0;
  if (next >= bytes.length || crc8(bytes, at, next) !== bytes[next]) return undefined;
  return { frameSamples, identity: (bytes[at + 1] << 8) | (rateCode << 4) | depthCode };
}

function codedNumberBytes(first: number): number | undefined {
  if (first < 0x80) return 1;
  const ones = Math.clz32(~(first << 24));
  return ones >= 2 && ones <= 7 ? ones : undefined;
}

const crcTable = Uint8Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1;
  return crc & 0xff;
});

function crc8(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) crc = crcTable[crc ^ bytes[at]];
  return crc;
}
