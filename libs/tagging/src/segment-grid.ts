/** Part of a track in milliseconds. */
export type TimeRange = Readonly<{ startMs: number; endMs: number }>;

/** A part of a track with the mean score of its segments. */
export type ScoredRange = TimeRange & Readonly<{ score: number }>;

/** Where the segments of a track lie. */
export type SegmentGrid = Readonly<{ durationMs: number; count: number; windowMs: number; hopMs: number }>;

/** What segment `k` heard. */
export function windowOf(grid: SegmentGrid, k: number): TimeRange {
  const startMs = Math.min(k * grid.hopMs, grid.durationMs);
  return { startMs, endMs: Math.min(startMs + grid.windowMs, grid.durationMs) };
}

/**
 * What segment `k` stands for: the hop round its middle; the first reaches to the start of the track and the last to
 * its end, so that the zones tile the track.
 */
export function zoneOf(grid: SegmentGrid, k: number): TimeRange {
  const marginMs = (grid.windowMs - grid.hopMs) / 2;
  const startMs = k === 0 ? 0 : Math.min(k * grid.hopMs + marginMs, grid.durationMs);
  const endMs =
    k === grid.count - 1
      ? grid.durationMs
      : Math.min(k * grid.hopMs + marginMs + grid.hopMs, grid.durationMs);
  return { startMs, endMs };
}

/**
 * Joins neighbouring segments for which `holds` into ranges, by their zones.
 *
 * @param scoreOf score of a segment, 0..1
 */
export function rangesWhere(
  grid: SegmentGrid,
  holds: (k: number) => boolean,
  scoreOf: (k: number) => number,
): ScoredRange[] {
  const ranges: ScoredRange[] = [];
  for (let k = 0; k < grid.count; k++) {
    if (!holds(k)) continue;
    const first = k;
    let sum = scoreOf(k);
    while (k + 1 < grid.count && holds(k + 1)) sum += scoreOf(++k);
    const { startMs } = zoneOf(grid, first);
    ranges.push({ startMs, endMs: zoneOf(grid, k).endMs, score: rounded(sum / (k - first + 1)) });
  }
  return ranges;
}

/** Milliseconds covered by ranges that do not overlap. */
export function totalMs(ranges: readonly TimeRange[]): number {
  return ranges.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
}

/** A score as it is reported: six significant digits. */
export function rounded(score: number): number {
  return Number(score.toPrecision(6));
}
