/**
 * Hashes of a stretch of audio, parallel arrays of equal length.
 *
 * The index treats a hash as an opaque 32-bit key; the kind (pair or triple) is part of it. Hashes are mixed, so that
 * any bits of them spread evenly over a directory.
 */
export type Landmarks = Readonly<{
  /** Opaque hash of pair or triple. */
  hashes: Uint32Array;
  /** Anchor time in analysis frames since the start of the chunk (index) or of the query. */
  frames: Uint32Array;
  /** What the hash rounds away and voting needs (kind-specific residuals), one byte a landmark. */
  details: Uint8Array;
}>;

/**
 * Landmarks of a query, neighbouring cells included: one landmark of the audio gives several entries. An index looks up
 * every hash and hands each posting found to {@link VoteTable} together with the entry's position in these arrays.
 */
export type QueryLandmarks = Landmarks &
  Readonly<{
    /** Pitch of the anchor in steps. */
    pitches: Float32Array;
    /** Frames between the first and the last peak of the landmark. */
    spans: Float32Array;
  }>;
