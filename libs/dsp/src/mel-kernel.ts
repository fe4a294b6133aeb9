import { createFftPlan } from './fft-plan.js';
import type { MelFilters } from './mel-filters.js';
import { JsPowerSpectrum } from './power-spectrum.js';

/** What a mel kernel needs to know; all ranges are checked by its owner. */
export type MelKernelSettings = Readonly<{
  fftSize: number;
  hopSamples: number;
  /** Most frames a call. */
  blockFrames: number;
  /** Window with all scaling inside (the transform gives twice the amplitude), at most `fftSize` samples. */
  window: Float32Array;
  filters: MelFilters;
  /** Whether bands are sums of amplitudes instead of powers. */
  amplitude: boolean;
}>;

/** Mel energies block by block; both back ends give the same bits. */
export interface MelKernel {
  /** Input of a block, frames start every hop from index 0; length (blockFrames - 1) * hop + window. */
  readonly samples: Float32Array;
  /** Energies of the last call, row-major [frames, bands]. */
  readonly energies: Float32Array;
  /** Computes `count` frames. */
  run(count: number): void;
}

/** Plain TypeScript {@link MelKernel}. */
export class JsMelKernel implements MelKernel {
  readonly samples: Float32Array;
  readonly energies: Float32Array;
  private readonly spectrum: JsPowerSpectrum;
  private readonly power: Float32Array;

  constructor(private readonly settings: MelKernelSettings) {
    const { fftSize, hopSamples, blockFrames, window, filters } = settings;
    this.samples = new Float32Array((blockFrames - 1) * hopSamples + window.length);
    this.energies = new Float32Array(blockFrames * filters.firstBin.length);
    this.spectrum = new JsPowerSpectrum(createFftPlan(fftSize), window);
    this.power = new Float32Array(fftSize / 2 + 1);
  }

  run(count: number): void {
    const { hopSamples, amplitude } = this.settings;
    const { firstBin, binCount, weights } = this.settings.filters;
    const { power, energies } = this;
    let at = 0;
    for (let n = 0; n < count; n++) {
      this.spectrum.transform(this.samples, n * hopSamples, power, 0);
      if (amplitude) for (let k = 0; k < power.length; k++) power[k] = Math.sqrt(power[k]);
      let weight = 0;
      for (let band = 0; band < firstBin.length; band++) {
        const end = firstBin[band] + binCount[band];
        let sum = Math.fround(0);
        for (let k = firstBin[band]; k < end; k++) {
          sum = Math.fround(sum + Math.fround(weights[weight++] * power[k]));
        }
        energies[at++] = sum;
      }
    }
  }
}
