import type { FileHandle } from 'node:fs/promises';
import { ExternalReferenceError } from './media-error.js';
import { readAt } from './media-file.js';

const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'rmra', 'rmda']);
const maxBoxes = 20_000;

/**
 * Walks the boxes of an MP4 or QuickTime file down to its data references.
 *
 * @throws {ExternalReferenceError} if a track's data lie in another file or on another host (`dref` entry without the
 * self-contained flag, or a QuickTime reference movie)
 * @see ISO/IEC 14496-12, 8.7.2
 */
export async function refuseExternalReferences(handle: FileHandle, bytes: number): Promise<void> {
  const open: { start: number; end: number }[] = [{ start: 0, end: bytes }];
  for (let boxes = 0; boxes < maxBoxes && open.length > 0;) {
    const range = open[open.length - 1];
    if (range.start + 8 > range.end) {
      open.pop();
      continue;
    }
    boxes++;
    const box = await readBox(handle, range.start, range.end);
    range.start = box.end;
    if (box.type === 'rdrf') throw new ExternalReferenceError(box.body);
    if (box.type === 'dref') await checkDataReferences(handle, box.body, box.end);
    if (containers.has(box.type)) open.push({ start: box.body, end: box.end });
  }
}

type Box = Readonly<{ type: string; body: number; end: number }>;

async function readBox(handle: FileHandle, start: number, limit: number): Promise<Box> {
  const header = await readAt(handle, start, 16);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.length < 8) return { type: '', body: limit, end: limit };
  const type = String.fromCharCode(...header.subarray(4, 8));
  const short = view.getUint32(0);
  const long = short === 1 && header.length === 16;
  const size = long ? Number(view.getBigUint64(8)) : short;
  const body = start + (long ? 16 : 8);
  // A size of 0 means "to the end"; a size that makes no sense ends the walk at this level.
  const end = size === 0 || start + size < body || start + size > limit ? limit : start + size;
  return { type, body, end };
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
