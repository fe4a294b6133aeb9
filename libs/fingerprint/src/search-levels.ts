import type { QueryDepth } from './query-landmarks.js';

/** One step of the search: which landmarks are looked up, how many places are verified, when the answer is certain. */
export type SearchLevel = Readonly<{ name: string; depth: QueryDepth; candidates: number }>;

/**
 * The cascade: a few triples of the most salient peaks answer clear queries; the next levels run only while nothing is
 * certain. Dense triples find changed pitch, tempo and speed in noise, pairs find nominal speed in hard noise, wide
 * triples find changes of up to a third.
 */
export const searchLevels: readonly SearchLevel[] = [
  {
    name: 'first',
    depth: { triples: { quota: 4, fanOut: 2, margin: 0.15, pitchReach: 0.5, tempoReach: 0.01 } },
    candidates: 6,
  },
  {
    name: 'salient',
    depth: { triples: { quota: 4, fanOut: 6, margin: 0.2, pitchReach: 1, tempoReach: 0.02 } },
    candidates: 12,
  },
  { name: 'pairs', depth: { pairs: { quota: 15, fanOut: 16, margin: 0.25 } }, candidates: 30 },
  {
    name: 'dense',
    depth: { triples: { quota: 10, fanOut: 24, margin: 0.3, pitchReach: 1.35, tempoReach: 0.04 } },
    candidates: 24,
  },
  {
    name: 'wide',
    depth: { triples: { quota: 5, fanOut: 8, margin: 0.3, pitchReach: 10, tempoReach: 0.2 } },
    candidates: 24,
  },
];
