import { maxFlacHeaderBytes, readFlacFrameHeader, type FlacFrameHeader } from './flac-frame-header.js';
import { DecodeFailedError, NeedsFfmpegError } from './media-error.js';
import type { MediaFile } from './media-file.js';
import { readAt } from './read-at.js';
import type { TrackFormat } from './packet-decoder.js';
import type { Packet, PacketSource } from './packet-source.js';

const chunkBytes = 262_144;
/** More than the largest frame that the format allows (8 channels, 65,535 samples, 32 bits). */
const maxFrameBytes = 4 * 1_048_576;

/** Reads the frames of a native FLAC file, past damage. @see RFC 9639 */
export class FlacSource implements PacketSource {
  readonly hasVideo = false;
  readonly skipFrames = 0;

  private constructor(
    private readonly file: MediaFile,
    private readonly firstFrame: number,
    private readonly totalSamples: number,
    readonly format: TrackFormat,
  ) {}

  /** @throws {DecodeFailedError} if there is no stream information @throws {NeedsFfmpegError} above 655,350 Hz */
  static async open(file: MediaFile): Promise<FlacSource> {
    let at = file.offset + 4;
    let info: Uint8Array | undefined;
    for (let blocks = 0; blocks < 1_024; blocks++) {
      const header = await readAt(file.handle, at, 4);
      if (header.length < 4) break;
      const length = (header[1] << 16) | (header[2] << 8) | header[3];
      if ((header[0] & 0x7f) === 0) info = await readAt(file.handle, at + 4, Math.min(length, 34));
      at += 4 + length;
      if (header[0] & 0x80) break;
    }
    if (!info || info.length < 34) throw new DecodeFailedError('no FLAC stream information');
    const sampleRateHz = (info[10] << 12) | (info[11] << 4) | (info[12] >> 4);
    const channels = ((info[12] >> 1) & 7) + 1;
    if (sampleRateHz === 0) throw new NeedsFfmpegError('FLAC without a sample rate');
    const totalSamples = (info[13] & 15) * 2 ** 32 + new DataView(info.buffer, info.byteOffset).getUint32(14);
    return new FlacSource(file, at, totalSamples, { codec: 'flac', sampleRateHz, channels });
  }

  declaredMs(): Promise<number | undefined> {
    // 0 means unknown.
    return Promise.resolve(
      this.totalSamples === 0 ? undefined : (this.totalSamples / this.format.sampleRateHz) * 1_000,
    );
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    let position = this.firstFrame;
    let chunk = await readAt(this.file.handle, position, chunkBytes);
    let first: FlacFrameHeader | undefined;
    let sample = 0;
    for (let at = findFrame(chunk, 0, undefined); at !== -1;) {
      const atEnd = position + chunk.length >= this.file.bytes;
      const next = findFrame(chunk, at + maxFlacHeaderBytes, first);
      if (next === -1 && !atEnd && chunk.length < maxFrameBytes) {
        // A frame's end is the start of the next one: read on, keep what is left.
        position += at;
        chunk = await readAt(this.file.handle, position, Math.max(chunkBytes, 2 * (chunk.length - at)));
        at = 0;
        continue;
      }
      const header = readFlacFrameHeader(chunk, at);
      if (header) {
        first ??= header;
        const { sampleRateHz } = this.format;
        const data = chunk.subarray(at, next === -1 ? chunk.length : next);
        yield { data, timestamp: sample / sampleRateHz, duration: header.frameSamples / sampleRateHz };
        sample += header.frameSamples;
      }
      at = next;
    }
  }

  close(): void {
    // The file belongs to the caller.
  }
}

/** Next frame header of the same stream at or after `from`; -1 if `bytes` holds none. */
function findFrame(bytes: Uint8Array, from: number, first: FlacFrameHeader | undefined): number {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    const header = readFlacFrameHeader(bytes, at);
    if (header && (!first || header.identity === first.identity)) return at;
  }
  return -1;
}
