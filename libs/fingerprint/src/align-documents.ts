import type { Landmarks, QueryLandmarks } from './landmarks.js';
import { VoteTable, type Proposal } from './vote-table.js';

/** A proposal inside one of several documents; `position` and `place` count from the document's frame 0. */
export type DocumentProposal = Proposal & Readonly<{ document: number }>;

/** Frames between the starts of two documents on the common axis; a document is at most half as long. */
const documentSpacing = 1 << 20;

/**
 * Lets the landmarks of a few documents vote, without an index: for adapters that find documents but no postings, and
 * hash the stored peaks of what they found again.
 *
 * @param documents landmarks of each document, at most 4,000 documents of at most 524,288 frames (3 h)
 * @returns at most `limit` alignments, most votes first
 */
export function alignDocuments(
  query: QueryLandmarks,
  lengthFrames: number,
  documents: readonly Landmarks[],
  limit: number,
): readonly DocumentProposal[] {
  const entries = new EntriesByHash(query.hashes);
  const votes = new VoteTable(query, lengthFrames);
  for (const [document, { hashes, frames, details }] of documents.entries()) {
    const base = (document + 0.5) * documentSpacing;
    for (let i = 0; i < hashes.length; i++) {
      for (let entry = entries.first(hashes[i]); entry >= 0; entry = entries.next(entry)) {
        votes.add(entry, base + frames[i], details[i]);
      }
    }
  }
  return votes.proposals(limit).map((proposal) => {
    const document = Math.floor(proposal.place / documentSpacing);
    const base = (document + 0.5) * documentSpacing;
    return { ...proposal, document, position: proposal.position - base, place: proposal.place - base };
  });
}

/** Finds the entries of a query that have a hash: open addressing, entries of equal hashes chained. */
class EntriesByHash {
  private readonly mask: number;
  /** Entry + 1 of each slot, 0 when free. */
  private readonly slots: Uint32Array;
  /** Entry + 1 with the same hash that comes next. */
  private readonly chain: Uint32Array;

  constructor(private readonly hashes: Uint32Array) {
    const size = 2 ** Math.max(8, Math.ceil(Math.log2(hashes.length * 2 + 1)));
    this.mask = size - 1;
    this.slots = new Uint32Array(size);
    this.chain = new Uint32Array(hashes.length);
    for (let entry = 0; entry < hashes.length; entry++) {
      const slot = this.slotOf(hashes[entry]);
      this.chain[entry] = this.slots[slot];
      this.slots[slot] = entry + 1;
    }
  }

  /** First entry with the hash, or -1. */
  first(hash: number): number {
    return this.slots[this.slotOf(hash)] - 1;
  }

  /** Next entry with the same hash, or -1. */
  next(entry: number): number {
    return this.chain[entry] - 1;
  }

  /** Slot that holds the hash, or the free one where it would go; hashes are mixed already. */
  private slotOf(hash: number): number {
    let slot = hash & this.mask;
    while (this.slots[slot] !== 0 && this.hashes[this.slots[slot] - 1] !== hash)
      slot = (slot + 1) & this.mask;
    return slot;
  }
}
