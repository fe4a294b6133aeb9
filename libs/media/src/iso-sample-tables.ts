import { walkBoxes } from './iso-boxes.js';
import { DecodeFailedError } from './media-error.js';
import type { MediaFile } from './media-file.js';
import { readAt } from './read-at.js';

const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
const maxTableBytes = 32 * 1_048_576;

/**
 * Checks that no chunk of a track claims more samples than the track has: mediabunny counts through a chunk for every
 * packet, so one flipped bit would keep it busy for hours.
 *
 * @throws {DecodeFailedError} for a table that contradicts itself
 * @see ISO/IEC 14496-12, 8.7.3 (stsz) and 8.7.4 (stsc)
 */
export async function checkSampleTables(file: MediaFile): Promise<void> {
  let samples: number | undefined;
  let largestChunk = 0;
  for await (const box of walkBoxes(file.handle, file.bytes, containers)) {
    if (box.type === 'stbl') {
      samples = undefined;
      largestChunk = 0;
    } else if (box.type === 'stsz' || box.type === 'stz2') {
      samples = viewOf(await readAt(file.handle, box.body, 12)).getUint32(8);
    } else if (box.type === 'stsc') {
      const table = await readAt(file.handle, box.body, Math.min(maxTableBytes, box.end - box.body));
      const view = viewOf(table);
      for (let at = 8; at + 12 <= table.length; at += 12)
        largestChunk = Math.max(largestChunk, view.getUint32(at + 4));
    }
    if (samples !== undefined && largestChunk > samples) {
      throw new DecodeFailedError(`a chunk of ${largestChunk} samples in a track of ${samples}`);
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  const padded = bytes.length < 12 ? new Uint8Array(12) : bytes;
  if (padded !== bytes) padded.set(bytes);
  return new DataView(padded.buffer, padded.byteOffset, padded.byteLength);
}
