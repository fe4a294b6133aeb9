/** Frequency scale on which mel bands are equally wide. */
export type MelScale = 'htk' | 'slaney';

/** `none`: triangles of peak 1; `slaney`: triangles of area 1 (in Hz), i.e. divided by half their width. */
export type MelNorm = 'none' | 'slaney';

/** Triangular mel filters, sparse: band b covers bins first[b] .. first[b] + count[b], weights one after the other. */
export type MelFilters = Readonly<{
  firstBin: Int32Array;
  binCount: Int32Array;
  /** Weights of all bands in order. */
  weights: Float32Array;
}>;

/** Shape of a bank of mel filters. */
export type MelFilterOptions = Readonly<{
  sampleRateHz: number;
  fftSize: number;
  melBands: number;
  fMinHz: number;
  fMaxHz: number;
  melScale: MelScale;
  melNorm: MelNorm;
}>;

/**
 * Makes triangular filters that are linear in Hz between corners that are equally spaced in mel.
 *
 * @see S. S. Stevens et al. 1937; HTK book (1995) for `htk`, Slaney's Auditory Toolbox (1998) for `slaney`
 */
export function melFilters(options: MelFilterOptions): MelFilters {
  const { sampleRateHz, fftSize, melBands, fMinHz, fMaxHz, melScale, melNorm } = options;
  const low = hzToMel(fMinHz, melScale);
  const high = hzToMel(fMaxHz, melScale);
  const cornersHz = Array.from({ length: melBands + 2 }, (_, i) =>
    melToHz(low + ((high - low) * i) / (melBands + 1), melScale),
  );
  const firstBin = new Int32Array(melBands);
  const binCount = new Int32Array(melBands);
  const weights: number[] = [];
  for (let band = 0; band < melBands; band++) {
    const [left, centre, right] = cornersHz.slice(band, band + 3);
    const gain = melNorm === 'slaney' ? 2 / (right - left) : 1;
    for (let bin = 0; bin <= fftSize / 2; bin++) {
      const hz = (bin * sampleRateHz) / fftSize;
      const weight = Math.min((hz - left) / (centre - left), (right - hz) / (right - centre));
      if (weight <= 0) continue;
      if (binCount[band] === 0) firstBin[band] = bin;
      binCount[band]++;
      weights.push(weight * gain);
    }
  }
  return { firstBin, binCount, weights: Float32Array.from(weights) };
}

/** Frequency in Hz to mel. */
export function hzToMel(hz: number, scale: MelScale): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + hz / 700);
  return hz < 1000 ? (hz * 3) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4);
}

/** Mel to frequency in Hz. */
export function melToHz(mel: number, scale: MelScale): number {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1);
  return mel < 15 ? (mel * 200) / 3 : 1000 * Math.exp((Math.log(6.4) * (mel - 15)) / 27);
}
