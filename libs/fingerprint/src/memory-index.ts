import type { TrackId } from '@earmark/kernel';
import { centsPerStep, type Candidate, type CandidateSource } from './candidate.js';
import { chunkFrames, chunkRanges, indexLandmarks } from './index-landmarks.js';
import type { QueryLandmarks } from './landmarks.js';
import { limitDensity, type Peaks } from './peaks.js';
import { VoteTable } from './vote-table.js';

/** Frames between two tracks on the axis of positions. */
const gapFrames = 4096;

/** Postings that are handed to the votes together. */
const foundAtOnce = 16_384;

type Postings = Readonly<{
  starts: Uint32Array;
  hashes: Uint32Array;
  positions: Uint32Array;
  details: Uint8Array;
  shift: number;
}>;

/** An index in memory: for tests, measurements and comparisons of one recording with a few others. */
export class MemoryIndex implements CandidateSource {
  private readonly trackIds: TrackId[] = [];
  private readonly bases: number[] = [];
  private readonly parts: { hashes: Uint32Array; positions: Uint32Array; details: Uint8Array }[] = [];
  private end = gapFrames;
  private built: Postings | undefined;
  private readonly found = {
    entries: new Uint32Array(foundAtOnce),
    positions: new Uint32Array(foundAtOnce),
    details: new Uint8Array(foundAtOnce),
    count: 0,
  };
  /** Postings read by the queries so far. */
  postingsRead = 0;

  /** Adds a track's landmarks; `peaks` are those of the whole track. */
  add(trackId: TrackId, peaks: Peaks): void {
    const base = this.end;
    const sparse = limitDensity(peaks, 5);
    for (const range of chunkRanges(peaks.lengthFrames)) {
      const { hashes, frames, details } = indexLandmarks(sparse, range);
      this.parts.push({ hashes, positions: frames.map((frame) => base + range.start + frame), details });
    }
    this.trackIds.push(trackId);
    this.bases.push(base);
    this.end = base + Math.ceil(peaks.lengthFrames) + gapFrames;
    this.built = undefined;
  }

  /** Landmarks stored. */
  get size(): number {
    return this.parts.reduce((sum, part) => sum + part.hashes.length, 0);
  }

  candidates(landmarks: QueryLandmarks, lengthFrames: number, k: number): Promise<readonly Candidate[]> {
    return Promise.resolve(this.find(landmarks, lengthFrames, k));
  }

  /** {@link candidates}, at once. */
  find(landmarks: QueryLandmarks, lengthFrames: number, k: number): readonly Candidate[] {
    const { starts, hashes, positions, details, shift } = (this.built ??= this.build());
    const votes = new VoteTable(landmarks, lengthFrames);
    const { found } = this;
    found.count = 0;
    for (let entry = 0; entry < landmarks.hashes.length; entry++) {
      const hash = landmarks.hashes[entry];
      const bucket = hash >>> shift;
      for (let i = starts[bucket]; i < starts[bucket + 1]; i++) {
        if (hashes[i] !== hash) continue;
        if (found.count === foundAtOnce) {
          votes.addAll(found, 0);
          found.count = 0;
        }
        found.entries[found.count] = entry;
        found.positions[found.count] = positions[i];
        found.details[found.count++] = details[i];
        this.postingsRead++;
      }
    }
    votes.addAll(found, 0);
    return votes.proposals(k).map((proposal) => {
      const track = this.trackAt(proposal.place);
      return {
        trackId: this.trackIds[track],
        chunk: Math.floor((proposal.place - this.bases[track]) / chunkFrames),
        evidence: proposal.votes,
        offsetFrames: proposal.position - this.bases[track],
        speed: proposal.speed,
        pitchCents: proposal.pitch * centsPerStep,
      };
    });
  }

  private trackAt(position: number): number {
    let low = 0;
    let high = this.bases.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.bases[middle] <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Counting sort by the top bits of the hash. */
  private build(): Postings {
    const count = this.size;
    const bits = Math.max(8, Math.min(24, Math.ceil(Math.log2(count + 1))));
    const shift = 32 - bits;
    const starts = new Uint32Array(2 ** bits + 1);
    for (const part of this.parts) for (const hash of part.hashes) starts[(hash >>> shift) + 1]++;
    for (let i = 0; i < 2 ** bits; i++) starts[i + 1] += starts[i];
    const next = starts.slice();
    const hashes = new Uint32Array(count);
    const positions = new Uint32Array(count);
    const details = new Uint8Array(count);
    for (const part of this.parts) {
      for (let i = 0; i < part.hashes.length; i++) {
        const at = next[part.hashes[i] >>> shift]++;
        hashes[at] = part.hashes[i];
        positions[at] = part.positions[i];
        details[at] = part.details[i];
      }
    }
    return { starts, hashes, positions, details, shift };
  }
}
