import { open, type FileHandle } from 'node:fs/promises';
import { detectMedia, detectionBytes, type ContainerName } from './detect-media.js';
import { EmptyMediaError, MediaNotFoundError, NotMediaError, PlaylistError } from './media-error.js';
import { refuseExternalReferences } from './iso-references.js';
import { readAt } from './read-at.js';

/** An open regular file whose content has been recognised; the caller closes it. */
export type MediaFile = Readonly<{
  path: string;
  handle: FileHandle;
  bytes: number;
  container: ContainerName;
  /** Where the container starts: behind an ID3v2 tag or garbage. */
  offset: number;
}>;

/**
 * Opens a file and tells by its content what it is, before any demuxer sees it.
 *
 * @throws {MediaNotFoundError} @throws {EmptyMediaError} @throws {NotMediaError} @throws {PlaylistError}
 * @throws {ExternalReferenceError}
 */
export async function openMediaFile(path: string): Promise<MediaFile> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new MediaNotFoundError(path, { cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new MediaNotFoundError(path);
    if (stat.size === 0) throw new EmptyMediaError();
    const { container, offset } = await recognise(handle, stat.size);
    if (container === 'mp4' || container === 'mov') await refuseExternalReferences(handle, stat.size);
    return { path, handle, bytes: stat.size, container, offset };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function recognise(
  handle: FileHandle,
  size: number,
): Promise<{ container: ContainerName; offset: number }> {
  let base = 0;
  // ID3v2 tags can follow one another; each is jumped over, not read.
  for (let tags = 0; tags < 8; tags++) {
    const head = await readAt(handle, base, detectionBytes);
    if (head.length === 0) throw new NotMediaError('only an ID3 tag', size);
    const detection = detectMedia(head);
    switch (detection.kind) {
      case 'media':
        return { container: detection.container, offset: base + detection.offset };
      case 'playlist':
        throw new PlaylistError(detection.playlist);
      case 'other':
        throw new NotMediaError(detection.found, base + detection.offset);
      case 'id3':
        base += detection.bodyOffset;
    }
  }
  throw new NotMediaError('only ID3 tags', base);
}
