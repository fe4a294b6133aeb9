import type { TrackId } from '@earmark/kernel';
import type { Verified } from './verification.js';

/** A verified place of one track. */
export type Place = Readonly<{
  trackId: TrackId;
  votes: number;
  line: Verified;
  /** Agreement with the query's spectrogram, see {@link SpectralAgreement}; absent when it was not asked. */
  spectral?: number;
}>;

/** What the spectrogram may add to a place's agreement and take from it: no true place was ever denied below -6. */
const mostSpectral = { added: 8, taken: 16 } as const;

/** Agreement of a place by everything that is known of it, standard deviations above chance, about. */
export function strengthOf({ line, spectral = 0 }: Place): number {
  return line.z + Math.max(-mostSpectral.taken, Math.min(mostSpectral.added, spectral));
}
