import { DecodeFailedError } from './media-error.js';
import type { MediaFile } from './media-file.js';
import { readAt } from './read-at.js';
import { readGapless, type Gapless } from './mp3-gapless.js';
import { readMpegAudioHeader, type MpegAudioHeader } from './mpeg-audio-header.js';
import type { TrackFormat } from './packet-decoder.js';
import type { Packet, PacketSource } from './packet-source.js';

const chunkBytes = 65_536;
const maxFrameBytes = 8_192;

/**
 * Reads the frames of an MPEG audio file, past tags and damage.
 *
 * @see ISO/IEC 11172-3; Xing, Info and LAME tags at http://gabriel.mp3-tech.org/mp3infotag.html
 */
export class Mp3Source implements PacketSource {
  readonly hasVideo = false;

  private constructor(
    private readonly file: MediaFile,
    private readonly first: MpegAudioHeader,
    private readonly gapless: Gapless | undefined,
    readonly format: TrackFormat,
  ) {}

  /** @throws {DecodeFailedError} if there is no frame where the content sniffing saw one */
  static async open(file: MediaFile): Promise<Mp3Source> {
    const head = await readAt(file.handle, file.offset, maxFrameBytes);
    const first = readMpegAudioHeader(head, 0);
    if (!first) throw new DecodeFailedError('no MPEG audio frame');
    const format = { codec: 'mp3', sampleRateHz: first.sampleRateHz, channels: first.channels } as const;
    return new Mp3Source(file, first, readGapless(head, first), format);
  }

  get skipFrames(): number {
    return this.gapless?.startFrames ?? 0;
  }

  declaredMs(): Promise<number | undefined> {
    const frames = this.gapless?.audioFrames;
    return Promise.resolve(frames === undefined ? undefined : (frames / this.first.sampleRateHz) * 1_000);
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    let position = this.file.offset + (this.gapless ? this.first.frameBytes : 0);
    let chunk = await readAt(this.file.handle, position, chunkBytes);
    let at = 0;
    let frame = 0;
    for (;;) {
      if (at + maxFrameBytes > chunk.length && position + chunk.length < this.file.bytes) {
        position += at;
        at = 0;
        chunk = await readAt(this.file.handle, position, chunkBytes);
      }
      if (at + 4 > chunk.length) return;
      const header = this.frameAt(chunk, at);
      if (!header) {
        const next = chunk.indexOf(0xff, at + 1);
        at = next === -1 ? chunk.length : next;
        continue;
      }
      const data = chunk.subarray(at, at + header.frameBytes);
      const duration = header.frameSamples / header.sampleRateHz;
      yield { data, timestamp: (frame * header.frameSamples) / header.sampleRateHz, duration };
      frame++;
      at += header.frameBytes;
    }
  }

  close(): void {
    // The file belongs to the caller.
  }

  /** A frame of this stream: its own rate and layer, and another frame or the end of the file behind it. */
  private frameAt(chunk: Uint8Array, at: number): MpegAudioHeader | undefined {
    const header = readMpegAudioHeader(chunk, at);
    if (!header || header.identity !== this.first.identity) return undefined;
    const end = at + header.frameBytes;
    if (end > chunk.length) return undefined;
    if (end + 4 > chunk.length || startsTag(chunk, end)) return header;
    return readMpegAudioHeader(chunk, end)?.identity === this.first.identity ? header : undefined;
  }
}

function startsTag(chunk: Uint8Array, at: number): boolean {
  const text = String.fromCharCode(...chunk.subarray(at, at + 3));
  return text === 'TAG' || text === 'APE' || text === 'ID3' || text === 'LYR';
}
