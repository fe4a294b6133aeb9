import { chooseBackend, type Backend, type BackendChoice } from './backend.js';
import { LogMel, type LogMelOptions } from './log-mel.js';
import { MonoMixer } from './mono.js';
import { Resampler } from './resampler.js';
import { SpectralPeaks, type SpectralPeakOptions } from './spectral-peaks.js';
import { TruePeakMeter } from './true-peak.js';

/** Makes streaming kernels of one back end; every object has memory of its own, so any thread may have its own set. */
export type Kernels = Readonly<{
  backend: Backend;
  createMonoMixer(): MonoMixer;
  createResampler(fromHz: number, toHz: number): Resampler;
  createSpectralPeaks(options?: Partial<SpectralPeakOptions>): SpectralPeaks;
  createLogMel(options?: Partial<LogMelOptions>): LogMel;
  createTruePeakMeter(sampleRateHz: number): TruePeakMeter;
}>;

/**
 * The single place that picks a back end.
 *
 * @param options.backend default `auto`: WASM where the host has SIMD, else plain TypeScript
 */
export function createKernels(options: { backend?: BackendChoice } = {}): Kernels {
  const backend = chooseBackend(options.backend ?? 'auto');
  return {
    backend,
    createMonoMixer: () => new MonoMixer(backend),
    createResampler: (fromHz, toHz) => new Resampler(fromHz, toHz, backend),
    createSpectralPeaks: (peakOptions) => new SpectralPeaks(peakOptions, backend),
    createLogMel: (melOptions) => new LogMel(melOptions, backend),
    createTruePeakMeter: (sampleRateHz) => new TruePeakMeter(sampleRateHz, backend),
  };
}
