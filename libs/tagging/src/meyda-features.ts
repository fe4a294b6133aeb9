import meydaModule from 'meyda';

type Meyda = typeof meydaModule.default;

/** The package's types describe an ES module; Node loads its CommonJS build, whose export is the object itself. */
const meyda: Meyda = 'default' in meydaModule ? meydaModule.default : meydaModule;

/** What Meyda says of one frame. */
export type FrameFeatures = Readonly<{
  /** Root mean square, linear. */
  rms: number;
  /** Centre of gravity of the amplitude spectrum in hertz; 0 for silence. */
  centroidHz: number;
  /** Standard deviation of the amplitude spectrum in hertz; under 25 Hz only for a bare sine. */
  spreadHz: number;
}>;

/**
 * Measures one frame with Meyda (Hann window). Slow, 0.2 ms a frame: for a few frames a second.
 *
 * @param frame mono samples, -1..1; a power of two of them
 */
export function measureFrame(frame: Float32Array, sampleRateHz: number): FrameFeatures {
  meyda.bufferSize = frame.length;
  meyda.sampleRate = sampleRateHz;
  const features = meyda.extract(['rms', 'spectralCentroid', 'spectralSpread'], frame);
  const inHz = (bins: number | undefined): number =>
    bins !== undefined && Number.isFinite(bins) ? (bins * sampleRateHz) / frame.length : 0;
  return {
    rms: features?.rms ?? 0,
    centroidHz: inHz(features?.spectralCentroid),
    spreadHz: inHz(features?.spectralSpread),
  };
}
