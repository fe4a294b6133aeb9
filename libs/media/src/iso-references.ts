import type { FileHandle } from 'node:fs/promises';
import { walkBoxes } from './iso-boxes.js';
import { ExternalReferenceError } from './media-error.js';
import { readAt } from './read-at.js';

const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'rmra', 'rmda']);

/**
 * Looks through the data references of an MP4 or QuickTime file.
 *
 * @throws {ExternalReferenceError} if a track's data lie in another file or on another host (`dref` entry without the
 * self-contained flag, or a QuickTime reference movie)
 * @see ISO/IEC 14496-12, 8.7.2
 */
export async function refuseExternalReferences(handle: FileHandle, bytes: number): Promise<void> {
  for await (const box of walkBoxes(handle, bytes, containers)) {
    if (box.type === 'rdrf') throw new ExternalReferenceError(box.body);
    if (box.type === 'dref') await checkDataReferences(handle, box.body, box.end);
  }
}

async function checkDataReferences(handle: FileHandle, body: number, end: number): Promise<void> {
  let position = body + 8;
  while (position + 12 <= end) {
    const entry = await readAt(handle, position, 12);
    if (entry.length < 12) return;
    const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
    const size = view.getUint32(0);
    const selfContained = (view.getUint32(8) & 1) === 1;
    if (!selfContained) throw new ExternalReferenceError(position);
    if (size < 12) return;
    position += size;
  }
}
