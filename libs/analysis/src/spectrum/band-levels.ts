import { LogMel } from '@earmark/dsp';

/** Mel bands of {@link BandLevels}. */
export const levelBands = 72;

const fftSize = 1024;
/** ln of this stands for silence: about -80 dB below a full-scale sine in one band. */
const logOffset = 8.2e-4;

/**
 * Streams mono PCM at 16 kHz into levels of {@link levelBands} mel bands from 27.5 Hz to 7.6 kHz, natural logarithms of
 * amplitude, 100 rows a second: row `i` is centred on `i * 10` ms (a Hann window of 64 ms). Runs on the SIMD kernel;
 * memory is a few rows.
 */
export class BandLevels {
  private readonly mel = new LogMel({
    sampleRateHz: 16_000,
    fftSize,
    windowSamples: fftSize,
    hopSamples: 160,
    melBands: levelBands,
    fMinHz: 27.5,
    fMaxHz: 7_600,
    melScale: 'htk',
    melNorm: 'slaney',
    power: 1,
    logOffset,
    log: 'ln',
    blockFrames: 64,
  });
  private ended = false;

  /** @param onRow called once a row with a view that is valid only during the call */
  constructor(private readonly onRow: (levels: Float32Array) => void) {
    this.take(this.mel.process(new Float32Array(fftSize / 2)));
  }

  /** Adds samples in -1..1. */
  push(samples: Float32Array): void {
    this.take(this.mel.process(samples));
  }

  /** Fills the end with silence until the last sample has been at the centre of a row. */
  flush(): void {
    if (this.ended) return;
    this.ended = true;
    this.push(new Float32Array(fftSize / 2));
    this.take(this.mel.flush());
  }

  private take(rows: Float32Array): void {
    for (let at = 0; at < rows.length; at += levelBands) this.onRow(rows.subarray(at, at + levelBands));
  }
}

/** Centre of each band, Hz. */
export const levelBandHz: Float64Array = Float64Array.from({ length: levelBands }, (_, band) => {
  const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
  const at = mel(27.5) + ((band + 1) * (mel(7_600) - mel(27.5))) / (levelBands + 1);
  return 700 * (10 ** (at / 2595) - 1);
});
