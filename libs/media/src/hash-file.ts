import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { MediaNotFoundError, throwIfAborted } from './media-error.js';

/**
 * SHA-256 of a file's bytes in lower-case hexadecimal, read in pieces.
 *
 * @throws {MediaNotFoundError} @throws {AbortedError}
 */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new MediaNotFoundError(path, { cause });
  });
  try {
    const hash = createHash('sha256');
    const buffer = new Uint8Array(262_144);
    for (;;) {
      throwIfAborted(signal);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
