import {
  featureSize,
  shortestWindowMs,
  type Side,
  transitionRateHz,
  WindowFeatures,
} from '@earmark/transition';

/** A window of a file, and which of its ends touches the seam. */
export type SeamWindow = Readonly<{ startMs: number; endMs: number; side: Side }>;

type Open = {
  readonly row: number;
  readonly side: Side;
  readonly start: number;
  readonly samples: Float32Array;
};

const shortestSamples = (shortestWindowMs * transitionRateHz) / 1000;

/**
 * Cuts windows out of a stream and describes each as soon as it is complete; memory holds only the windows that are open.
 */
export class WindowCapture {
  /** Row-major [windows, featureSize]; rows of windows of which the stream holds less than a second stay zero. */
  readonly rows: Float32Array;
  readonly #features = new WindowFeatures();
  readonly #waiting: { row: number; start: number; end: number; side: Side }[];
  #open: Open[] = [];
  #position = 0;

  /** @param windows in any order; rows come in the same order */
  constructor(windows: readonly SeamWindow[]) {
    this.rows = new Float32Array(windows.length * featureSize);
    const samplesAt = (ms: number): number => Math.round((ms / 1000) * transitionRateHz);
    this.#waiting = windows
      .map(({ startMs, endMs, side }, row) => ({
        row,
        start: samplesAt(startMs),
        end: samplesAt(endMs),
        side,
      }))
      .sort((a, b) => b.start - a.start);
  }

  /** Takes the next mono samples at the rate of the transition features. */
  push(samples: Float32Array): void {
    const end = this.#position + samples.length;
    for (
      let next = this.#waiting.at(-1);
      next !== undefined && next.start < end;
      next = this.#waiting.at(-1)
    ) {
      this.#waiting.pop();
      this.#open.push({ ...next, samples: new Float32Array(Math.max(0, next.end - next.start)) });
    }
    this.#open = this.#open.filter((window) => {
      const from = Math.max(window.start, this.#position);
      const to = Math.min(window.start + window.samples.length, end);
      window.samples.set(samples.subarray(from - this.#position, to - this.#position), from - window.start);
      if (end < window.start + window.samples.length) return true;
      this.#describe(window);
      return false;
    });
    this.#position = end;
  }

  /** Ends the stream: windows that it cut short are described as far as they go. */
  finish(): Float32Array {
    for (const { samples, start, ...window } of this.#open.splice(0)) {
      this.#describe({ ...window, start, samples: samples.subarray(0, this.#position - start) });
    }
    return this.rows;
  }

  #describe({ row, side, samples }: Open): void {
    if (samples.length < shortestSamples) return;
    this.rows.set(this.#features.describe(samples, side), row * featureSize);
  }
}
