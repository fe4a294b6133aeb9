import { geometry } from './landmark-cells.js';
import { lowerBound, type Peaks } from './peaks.js';

/** Takes the three peaks of a triple, as positions in the peak arrays. */
export type TripleSink = (a: number, b: number, c: number) => void;
/** Takes the two peaks of a pair, as positions in the peak arrays. */
export type PairSink = (a: number, b: number) => void;

/** Anchors from `start` up to but not including `end`, in frames. */
export type FrameRange = Readonly<{ start: number; end: number }>;

const near = new Int32Array(64);

/** Visits the triples of the peaks: each anchor with every two of its first followers in the zone, up to `fanOut`. */
export function forEachTriple(peaks: Peaks, fanOut: number, range: FrameRange, sink: TripleSink): void {
  const { frames, pitches } = peaks;
  const followers = Math.ceil((1 + Math.sqrt(1 + 8 * fanOut)) / 2) + 1;
  const [leastSpan, mostSpan] = geometry.tripleSpan;
  const [leastFirst, leastSecond] = geometry.tripleGap;
  const [leastInterval, mostInterval] = geometry.tripleInterval;
  for (let a = lowerBound(frames, range.start); a < frames.length && frames[a] < range.end; a++) {
    let count = 0;
    for (let j = a + 1; j < frames.length && count < followers; j++) {
      const span = frames[j] - frames[a];
      if (span > mostSpan) break;
      const interval = Math.abs(pitches[j] - pitches[a]);
      if (span >= leastFirst && interval > leastInterval && interval <= mostInterval) near[count++] = j;
    }
    let made = 0;
    for (let c = 1; c < count && made < fanOut; c++) {
      const last = near[c];
      if (frames[last] - frames[a] < leastSpan) continue;
      for (let b = 0; b < c && made < fanOut; b++) {
        if (frames[last] - frames[near[b]] < leastSecond) continue;
        sink(a, near[b], last);
        made++;
      }
    }
  }
}

/**
 * Visits the pairs of the peaks: each anchor with its first followers in the zone, up to `fanOut`.
 *
 * @param bins frequencies of the peaks as FFT bins
 */
export function forEachPair(
  peaks: Peaks,
  bins: Float32Array,
  fanOut: number,
  range: FrameRange,
  sink: PairSink,
): void {
  const { frames } = peaks;
  const [leastSpan, mostSpan] = geometry.pairSpan;
  for (let a = lowerBound(frames, range.start); a < frames.length && frames[a] < range.end; a++) {
    let made = 0;
    for (let j = a + 1; j < frames.length && made < fanOut; j++) {
      const span = frames[j] - frames[a];
      if (span >= mostSpan) break;
      if (span < leastSpan || Math.abs(bins[j] - bins[a]) >= geometry.pairBins) continue;
      sink(a, j);
      made++;
    }
  }
}
