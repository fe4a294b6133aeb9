import {
  centsPerStep,
  MemoryIndex,
  QueryRaster,
  queryLandmarks,
  referencePeaks,
  searchLevels,
  slicePeaks,
  verify,
  type Peaks,
} from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';

/** Agreement of a window beyond which two pieces share its audio. */
const sharedZ = 11;
/** Windows of 10 s, in frames, a fifth of a minute apart. */
const window = { length: 440, hop: 516 };

/** Windows from which a pair of pieces is related. */
export const relatedFrom = 4;

/**
 * Counts the windows of a piece that agree far beyond chance with a place of a track, whatever its speed and pitch.
 *
 * @param piece at query density
 * @param reference at index density
 */
export function sharedWindows(piece: Peaks, reference: Peaks): number {
  const index = new MemoryIndex();
  // The index holds one track, whose name nobody reads.
  index.add('track' as TrackId, reference);
  const prepared = referencePeaks(reference);
  let shared = 0;
  for (let start = 0; start + window.length <= piece.lengthFrames; start += window.hop) {
    const query = slicePeaks(piece, start, start + window.length);
    const raster = QueryRaster.ofQuery(query);
    const [best] = index.find(queryLandmarks(query, searchLevels[1].depth), window.length, 3);
    if (best?.offsetFrames === undefined) continue;
    const line = verify(
      raster,
      prepared,
      { offset: best.offsetFrames, speed: best.speed ?? 1, pitch: (best.pitchCents ?? 0) / centsPerStep },
      false,
    );
    if (line.z >= sharedZ) shared++;
  }
  return shared;
}
