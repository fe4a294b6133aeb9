import {
  alignDocuments,
  centsPerStep,
  chunkFrames,
  type DocumentProposal,
  type Landmarks,
} from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import type { IndexCandidate, IndexChunk, IndexQuery } from '../port.js';

/** A chunk by its track and ordinal. */
export type ChunkPlace = Readonly<{ trackId: TrackId; chunk: number }>;

/** A chunk with its landmarks. */
export type FoundChunk = Pick<IndexChunk, 'trackId' | 'chunk' | 'startFrame' | 'landmarks'>;

/** Where the landmarks of found chunks come from: they are made again of the peaks that the database holds. */
export interface ChunkSource {
  /** Chunks in any order; those of tracks that are gone are left out. */
  chunksAt(places: readonly ChunkPlace[]): Promise<readonly FoundChunk[]>;
}

/** Longest stretch of a track on one axis, in frames (2.5 h); farther chunks become a document of their own. */
const longestStretch = 400_000;

/** Neighbouring chunks of a track on one axis. */
type Stretch = Readonly<{ trackId: TrackId; baseFrame: number; chunks: readonly FoundChunk[] }>;

/**
 * Finds where the query lies in the chunks that a search has found: their landmarks vote, as in an index that keeps
 * positions. Chunks that the best alignments run into, and that were not found themselves, take part in a second vote.
 *
 * @returns at most `k` places, most votes first
 */
export async function alignChunks(
  query: Pick<IndexQuery, 'landmarks' | 'lengthFrames'>,
  found: readonly ChunkPlace[],
  source: ChunkSource,
  k: number,
): Promise<readonly IndexCandidate[]> {
  let chunks = await source.chunksAt(found);
  let candidates = vote(query, chunks, k);
  const missing = missingNeighbours(candidates, query.lengthFrames, found);
  if (missing.length > 0) {
    const neighbours = await source.chunksAt(missing);
    if (neighbours.length > 0) {
      chunks = [...chunks, ...neighbours];
      candidates = vote(query, chunks, k);
    }
  }
  return candidates;
}

function vote(
  { landmarks, lengthFrames }: Pick<IndexQuery, 'landmarks' | 'lengthFrames'>,
  chunks: readonly FoundChunk[],
  k: number,
): readonly IndexCandidate[] {
  const stretches = stretchesOf(chunks);
  const proposals = alignDocuments(landmarks, lengthFrames, stretches.map(joined), k);
  return proposals.map((proposal) => candidateOf(stretches[proposal.document], proposal));
}

function candidateOf({ trackId, baseFrame, chunks }: Stretch, proposal: DocumentProposal): IndexCandidate {
  const place = baseFrame + proposal.place;
  const chunk = chunks.findLast(({ startFrame }) => startFrame <= place) ?? chunks[0];
  return {
    trackId,
    chunk: chunk.chunk,
    evidence: proposal.votes,
    offsetFrames: baseFrame + proposal.position,
    speed: proposal.speed,
    pitchCents: proposal.pitch * centsPerStep,
  };
}

/** Chunks on both sides of a place that the query covers there too. */
function missingNeighbours(
  candidates: readonly IndexCandidate[],
  lengthFrames: number,
  found: readonly ChunkPlace[],
): readonly ChunkPlace[] {
  const known = new Set(found.map(keyOf));
  const missing = new Map<string, ChunkPlace>();
  for (const { trackId, offsetFrames = 0, speed = 1 } of candidates) {
    const first = Math.max(0, Math.floor(offsetFrames / chunkFrames));
    const last = Math.floor((offsetFrames + speed * lengthFrames) / chunkFrames);
    for (let chunk = first; chunk <= last; chunk++) {
      const place = { trackId, chunk };
      if (!known.has(keyOf(place))) missing.set(keyOf(place), place);
    }
  }
  return [...missing.values()];
}

function keyOf({ trackId, chunk }: ChunkPlace): string {
  return `${trackId}/${chunk}`;
}

function stretchesOf(chunks: readonly FoundChunk[]): readonly Stretch[] {
  const byTrack = new Map<TrackId, FoundChunk[]>();
  for (const chunk of chunks) {
    const list = byTrack.get(chunk.trackId);
    if (list) list.push(chunk);
    else byTrack.set(chunk.trackId, [chunk]);
  }
  const stretches: { trackId: TrackId; baseFrame: number; chunks: FoundChunk[] }[] = [];
  for (const [trackId, list] of byTrack) {
    list.sort((a, b) => a.startFrame - b.startFrame);
    let current: FoundChunk[] = [];
    for (const chunk of list) {
      if (current.length === 0 || chunk.startFrame - current[0].startFrame > longestStretch) {
        current = [];
        stretches.push({ trackId, baseFrame: chunk.startFrame, chunks: current });
      }
      current.push(chunk);
    }
  }
  return stretches;
}

function joined({ baseFrame, chunks }: Stretch): Landmarks {
  if (chunks.length === 1) return chunks[0].landmarks;
  const size = chunks.reduce((sum, { landmarks }) => sum + landmarks.hashes.length, 0);
  const hashes = new Uint32Array(size);
  const frames = new Uint32Array(size);
  const details = new Uint8Array(size);
  let at = 0;
  for (const { startFrame, landmarks } of chunks) {
    const shift = startFrame - baseFrame;
    hashes.set(landmarks.hashes, at);
    details.set(landmarks.details, at);
    for (let i = 0; i < landmarks.frames.length; i++) frames[at + i] = landmarks.frames[i] + shift;
    at += landmarks.hashes.length;
  }
  return { hashes, frames, details };
}
