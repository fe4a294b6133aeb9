import type { QueryDepth } from './query-landmarks.js';

/** One step of the search: which landmarks are looked up, at what cost, and how many places are verified. */
export type SearchLevel = Readonly<{
  name: string;
  depth: QueryDepth;
  candidates: number;
  /** Candidates that are refined after a glance at all of them. */
  refined: number;
  /** Postings that the step may read, about: what bounds its time in a large catalog. */
  postings: number;
  /** Only for queries with a spectrum, which tells true from false where peaks cannot. */
  faint?: true;
}>;

/**
 * The cascade: a few triples of the most salient peaks answer clear queries; the next levels run only while nothing is
 * certain. Dense triples find changed pitch, tempo and speed in noise, pairs find nominal speed in hard noise, wide
 * triples find changes of up to a third. The faint levels propose far more than peaks can verify.
 */
export const searchLevels: readonly SearchLevel[] = [
  {
    name: 'first',
    depth: { triples: { quota: 4, fanOut: 2, margin: 0.15, pitchReach: 0.5, tempoReach: 0.01 } },
    candidates: 6,
    refined: 10,
    postings: 60_000,
  },
  {
    name: 'salient',
    depth: { triples: { quota: 4, fanOut: 6, margin: 0.2, pitchReach: 1, tempoReach: 0.02 } },
    candidates: 12,
    refined: 10,
    postings: 200_000,
  },
  {
    name: 'pairs',
    depth: { pairs: { quota: 15, fanOut: 16, margin: 0.25 } },
    candidates: 30,
    refined: 10,
    postings: 2_000_000,
  },
  {
    name: 'dense',
    depth: { triples: { quota: 10, fanOut: 24, margin: 0.3, pitchReach: 1.35, tempoReach: 0.04 } },
    candidates: 24,
    refined: 10,
    postings: 1_000_000,
  },
  {
    name: 'faint-pairs',
    depth: { pairs: { quota: 15, fanOut: 16, margin: 0.4 } },
    candidates: 100,
    refined: 20,
    postings: 3_000_000,
    faint: true,
  },
  {
    name: 'faint-triples',
    depth: { triples: { quota: 15, fanOut: 60, margin: 0.25, pitchReach: 2, tempoReach: 0.06 } },
    candidates: 60,
    refined: 15,
    postings: 2_000_000,
    faint: true,
  },
  {
    name: 'wide',
    depth: { triples: { quota: 5, fanOut: 8, margin: 0.3, pitchReach: 10, tempoReach: 0.2 } },
    candidates: 24,
    refined: 10,
    postings: 1_000_000,
  },
];
