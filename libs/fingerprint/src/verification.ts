import { changeLimits } from './vote-table.js';
import type { Agreement, Alignment, QueryRaster, ReferencePeaks } from './query-raster.js';

/** An alignment after its refinement on stored peaks; `z` includes the agreement of levels. */
export type Verified = Alignment & Agreement;

/** Step sizes of the search: offset at the query's middle (frames), speed (relative), pitch (steps). */
const firstSteps = { offset: 1.5, speed: 0.005, pitch: 0.3 } as const;
const rounds = 4;

/**
 * Refines an alignment by climbing to the best agreement of stored peaks and query.
 *
 * @param exact the alignment is at nominal speed and pitch: only the offset moves
 */
export function verify(
  raster: QueryRaster,
  reference: ReferencePeaks,
  start: Alignment,
  exact: boolean,
): Verified {
  const middle = raster.lengthFrames / 2;
  let best: Verified = { ...start, ...raster.agreement(reference, start) };
  const attempt = (offset: number, speed: number, pitch: number): boolean => {
    if (Math.abs(Math.log(speed)) > changeLimits.logSpeed || Math.abs(pitch) > changeLimits.pitch)
      return false;
    const line = { offset, speed, pitch };
    const agreement = raster.agreement(reference, line);
    if (agreement.z <= best.z) return false;
    best = { ...line, ...agreement };
    return true;
  };
  let scale = 1;
  for (let round = 0; round < rounds; round++) {
    for (const sign of [-1, 1]) {
      while (attempt(best.offset + sign * scale * firstSteps.offset, best.speed, best.pitch));
    }
    if (!exact) {
      for (const sign of [-1, 1]) {
        const factor = 1 + sign * scale * firstSteps.speed;
        while (attempt(best.offset + best.speed * (1 - factor) * middle, best.speed * factor, best.pitch));
      }
      for (const sign of [-1, 1]) {
        while (attempt(best.offset, best.speed, best.pitch + sign * scale * firstSteps.pitch));
      }
    }
    scale /= 2;
  }
  return { ...best, z: best.z + raster.levelAgreement(reference, best) };
}

/** Agreement of a proposed line before any refinement: the best of a few offsets. */
export function glance(raster: QueryRaster, reference: ReferencePeaks, start: Alignment): number {
  let best = -Infinity;
  for (const step of glanceOffsets) {
    best = Math.max(best, raster.agreement(reference, { ...start, offset: start.offset + step }).z);
  }
  return best;
}

/** Frames by which a glance moves a proposal. */
const glanceOffsets = [-1.5, 0, 1.5];
