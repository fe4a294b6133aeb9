import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { isId, type UploadId } from '@earmark/kernel';

/** Age after which a file that no upload knows is left over from a crash. */
const orphanAgeMs = 3_600_000;

/** What a write into an upload's file came to. */
export type WrittenBytes = Readonly<{
  /** Size of the file now: where the upload goes on. */
  sizeBytes: number;
  /** More bytes came than fit; the file holds none past the limit. */
  overflow: boolean;
}>;

/** The bytes of uploads: a file each in one private folder. */
export class UploadFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = path.resolve(directory);
  }

  /** Where the bytes of an upload lie. */
  pathOf(id: UploadId): string {
    return path.join(this.directory, id);
  }

  /**
   * Writes a stream at an offset and makes it durable. What lay past the offset is overwritten: it was never
   * acknowledged. If the stream breaks, what came before the break stays and counts.
   *
   * @param limitBytes largest size of the file
   */
  async write(
    id: UploadId,
    source: AsyncIterable<Uint8Array>,
    offsetBytes: number,
    limitBytes: number,
  ): Promise<WrittenBytes> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const file = await open(this.pathOf(id), offsetBytes === 0 ? 'w' : 'r+', 0o600);
    let sizeBytes = offsetBytes;
    let overflow = false;
    try {
      await file.truncate(offsetBytes);
      try {
        for await (const chunk of source) {
          if (sizeBytes + chunk.byteLength > limitBytes) {
            overflow = true;
            break;
          }
          await file.write(chunk, 0, chunk.byteLength, sizeBytes);
          sizeBytes += chunk.byteLength;
        }
      } finally {
        await file.sync();
      }
    } catch (error) {
      if (!isBrokenConnection(error)) throw error;
    } finally {
      await file.close();
    }
    return { sizeBytes, overflow };
  }

  /** SHA-256 of an upload's bytes, 64 hexadecimal digits. */
  async sha256(id: UploadId): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(this.pathOf(id))) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  /** Removes an upload's bytes; nothing happens if there are none. */
  async remove(id: UploadId): Promise<void> {
    await rm(this.pathOf(id), { force: true });
  }

  /**
   * Removes files that no upload knows and that nobody has written to for an hour.
   *
   * @param isKnown tells which uploads still count
   */
  async removeOrphans(isKnown: (id: UploadId) => Promise<boolean>, nowMs: number): Promise<void> {
    const names = await readdir(this.directory).catch(() => []);
    for (const name of names) {
      if (!isId('upload', name)) continue;
      const info = await stat(this.pathOf(name)).catch(() => undefined);
      if (info && nowMs - info.mtimeMs > orphanAgeMs && !(await isKnown(name))) await this.remove(name);
    }
  }
}

/** A sender that went away, as streams of requests report it. */
function isBrokenConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}
