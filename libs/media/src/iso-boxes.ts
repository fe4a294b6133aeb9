import type { FileHandle } from 'node:fs/promises';
import { readAt } from './read-at.js';

const maxBoxes = 20_000;

/** One box: its four-character type, where its body starts and where it ends. */
export type Box = Readonly<{ type: string; body: number; end: number }>;

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

/**
 * Walks the boxes of an MP4 or QuickTime file in order, down into those in `containers`, 20,000 boxes at most.
 *
 * @see ISO/IEC 14496-12, 4.2
 */
export async function* walkBoxes(
  handle: FileHandle,
  bytes: number,
  containers: ReadonlySet<string>,
): AsyncGenerator<Box, void, void> {
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
    yield box;
    if (containers.has(box.type)) open.push({ start: box.body, end: box.end });
  }
}
