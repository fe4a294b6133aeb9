import { DomainError } from '@earmark/kernel';

/**
 * Everything that decides which peaks and hashes a recording gets. Two fingerprints can be compared only when their
 * `id` and `version` are equal; both are stored with peaks, segment files and exports.
 */
export type FingerprintConfig = Readonly<{
  id: string;
  version: number;
  /** Rate of the mono audio that the extractor takes. */
  sampleRateHz: number;
  fftSize: number;
  hopSamples: number;
  /** First and last FFT bin that may hold a peak, inclusive and exclusive. */
  firstBin: number;
  lastBin: number;
  /** Resolution of the logarithmic pitch axis; pitch 0 is the frequency of `firstBin`. */
  stepsPerOctave: number;
  /** A peak is louder than all neighbours within this many bins and frames. */
  radiusBins: number;
  radiusFrames: number;
  /** A peak is dominant when nothing within this many bins and frames is louder; dominant peaks rank first. */
  dominanceBins: number;
  dominanceFrames: number;
  /** Inner borders of the bands, as FFT bins; the quota counts per band and second. */
  bandBorders: readonly number[];
  /** Length of a quota cell in frames. */
  quotaFrames: number;
  /** Peaks a band and second that are stored for references. */
  indexQuota: number;
  /** Peaks a band and second that are kept of a query. */
  queryQuota: number;
}>;

/** The configuration that this version of Earmark writes. */
export const fingerprintConfig: FingerprintConfig = Object.freeze({
  id: 'emfp',
  version: 1,
  sampleRateHz: 11_025,
  fftSize: 1024,
  hopSamples: 256,
  firstBin: 20,
  lastBin: 480,
  stepsPerOctave: 36,
  radiusBins: 3,
  radiusFrames: 3,
  dominanceBins: 6,
  dominanceFrames: 5,
  bandBorders: Object.freeze([40, 70, 115, 180, 290]),
  quotaFrames: 43,
  indexQuota: 5,
  queryQuota: 15,
});

/** Analysis frames a second (not an integer). */
export const framesPerSecond = fingerprintConfig.sampleRateHz / fingerprintConfig.hopSamples;

/** Milliseconds at the start of an analysis frame, rounded. */
export function framesToMs(frames: number): number {
  return Math.round((frames * 1000) / framesPerSecond);
}

/** Analysis frames (with fraction) in a number of milliseconds. */
export function msToFrames(ms: number): number {
  return (ms * framesPerSecond) / 1000;
}

/** A fingerprint made by a configuration that this version cannot read. */
export class UnknownFingerprintError extends DomainError {
  readonly code = 'fingerprint.unknown-version';

  constructor(
    readonly id: string,
    readonly version: number,
  ) {
    super(
      `fingerprint ${id} version ${version} cannot be read: this version reads ${fingerprintConfig.id} ${fingerprintConfig.version}`,
    );
  }
}

/**
 * Accepts the configuration that this version writes.
 *
 * @throws {UnknownFingerprintError} for every other one
 */
export function assertKnownFingerprint(id: string, version: number): void {
  if (id !== fingerprintConfig.id || version !== fingerprintConfig.version)
    throw new UnknownFingerprintError(id, version);
}
