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
  /** Share of the power that lies within two bins of the highest one, 0..1; over 0.9995 only for a bare sine. */
  peakShare: number;
}>;

/**
 * Measures one frame with Meyda (Hann window). Slow, 0.2 ms a frame: for a few frames a second.
 *
 * @param frame mono samples, -1..1; a power of two of them
 */
export function measureFrame(frame: Float32Array, sampleRateHz: number): FrameFeatures {
  meyda.bufferSize = frame.length;
  meyda.sampleRate = sampleRateHz;
  const features = meyda.extract(['rms', 'spectralCentroid', 'powerSpectrum'], frame);
  const inHz = (bins: number | undefined): number =>
    bins !== undefined && Number.isFinite(bins) ? (bins * sampleRateHz) / frame.length : 0;
  return {
    rms: features?.rms ?? 0,
    centroidHz: inHz(features?.spectralCentroid),
    peakShare: peakShareOf(features?.powerSpectrum ?? new Float32Array(0)),
  };
}

function peakShareOf(power: Float32Array): number {
  let peak = 0;
  let total = 0;
  power.forEach((value, bin) => {
    total += value;
    if (value > power[peak]) peak = bin;
  });
  if (total === 0) return 0;
  const near = power.subarray(Math.max(0, peak - 2), peak + 3);
  return near.reduce((sum, value) => sum + value, 0) / total;
}
