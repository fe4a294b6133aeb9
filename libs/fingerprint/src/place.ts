import type { TrackId } from '@earmark/kernel';
import type { Verified } from './verification.js';

/** A verified place of one track. */
export type Place = Readonly<{ trackId: TrackId; votes: number; line: Verified }>;
