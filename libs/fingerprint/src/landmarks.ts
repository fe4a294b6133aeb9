/**
 * Hashes of a stretch of audio, parallel arrays of equal length.
 *
 * The index treats a hash as an opaque 32-bit key; the kind (pair or triple) is part of it.
 */
export type Landmarks = Readonly<{
  /** Opaque hash of pair or triple. */
  hashes: Uint32Array;
  /** Anchor time in analysis frames since the start of the chunk (index) or of the query. */
  frames: Uint32Array;
  /** What the hash rounds away and voting needs (kind-specific residuals), one byte a landmark. */
  details: Uint8Array;
}>;
