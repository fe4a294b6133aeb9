import { ByteReader, ByteWriter } from './bytes.js';

/**
 * Positions of a file are handed out in granules of this many bits, and no two tracks share one: a position finds its
 * track with a shift and one array access. A granule is 1,024 frames, 24 s.
 */
export const granuleBits = 10;

/** Positions are 32-bit and local to a file; about 27,000 h of audio frames, far above the size at which merging stops. */
export const positionLimit = 2 ** 32;

/** A track inside one file or in memory: who owns it and where its frames lie. */
export type IndexedTrack = Readonly<{
  tenantId: string;
  catalogId: string;
  trackId: string;
  /** Position of `firstFrame`, a multiple of a granule. */
  base: number;
  /** Track frame at which the first chunk starts. */
  firstFrame: number;
  /** Positions that the track takes, a multiple of a granule. */
  span: number;
  /** Landmarks stored. */
  landmarks: number;
  /** Ordinals of its chunks, ascending. */
  chunks: Uint32Array;
  /** Track frame at which each chunk starts, ascending. */
  startFrames: Uint32Array;
}>;

/** The tracks of one file in order of position. */
export class TrackTable {
  readonly tracks: IndexedTrack[] = [];
  /** Total of positions handed out; the next track starts here. */
  positions = 0;
  landmarks = 0;
  chunkCount = 0;
  private granules = new Uint32Array(64);

  /** Appends a track at the next free position and returns its ordinal. */
  append(track: Omit<IndexedTrack, 'base'>): number {
    const ordinal = this.tracks.length;
    const base = this.positions;
    this.tracks.push({ ...track, base });
    this.positions += track.span;
    this.landmarks += track.landmarks;
    this.chunkCount += track.chunks.length;
    const end = this.positions / (1 << granuleBits);
    if (end > this.granules.length) {
      const grown = new Uint32Array(Math.max(end, this.granules.length * 2));
      grown.set(this.granules);
      this.granules = grown;
    }
    this.granules.fill(ordinal, base / (1 << granuleBits), end);
    return ordinal;
  }

  /** Ordinal of the track that owns a position below `positions`. */
  ordinalAt(position: number): number {
    return this.granules[position >>> granuleBits];
  }

  /** For each granule its track's ordinal; entries past the last granule are not defined. */
  get granuleOrdinals(): Uint32Array {
    return this.granules;
  }

  encode(): Buffer {
    const names = new Map<string, number>();
    for (const track of this.tracks) {
      for (const name of [track.tenantId, track.catalogId]) if (!names.has(name)) names.set(name, names.size);
    }
    const writer = new ByteWriter();
    writer.varint(names.size);
    for (const name of names.keys()) writer.text(name);
    writer.varint(this.tracks.length);
    for (const track of this.tracks) {
      writer.varint(names.get(track.tenantId) ?? 0);
      writer.varint(names.get(track.catalogId) ?? 0);
      writer.text(track.trackId);
      writer.varint(track.firstFrame);
      writer.varint(track.span >>> granuleBits);
      writer.varint(track.landmarks);
      writer.varint(track.chunks.length);
      for (let i = 0; i < track.chunks.length; i++) {
        writer.varint(i === 0 ? track.chunks[0] : track.chunks[i] - track.chunks[i - 1]);
        writer.varint(i === 0 ? 0 : track.startFrames[i] - track.startFrames[i - 1]);
      }
    }
    return writer.bytes();
  }

  /** @throws {RangeError} when the bytes are not a table */
  static decode(bytes: Uint8Array): TrackTable {
    const reader = new ByteReader(bytes);
    const names = Array.from({ length: reader.varint() }, () => reader.text());
    const table = new TrackTable();
    const count = reader.varint();
    for (let i = 0; i < count; i++) {
      const tenantId = names[reader.varint()];
      const catalogId = names[reader.varint()];
      const trackId = reader.text();
      const firstFrame = reader.varint();
      const span = reader.varint() * (1 << granuleBits);
      const landmarks = reader.varint();
      const chunks = new Uint32Array(reader.varint());
      const startFrames = new Uint32Array(chunks.length);
      for (let c = 0; c < chunks.length; c++) {
        chunks[c] = reader.varint() + (c === 0 ? 0 : chunks[c - 1]);
        startFrames[c] = reader.varint() + (c === 0 ? firstFrame : startFrames[c - 1]);
      }
      table.append({ tenantId, catalogId, trackId, firstFrame, span, landmarks, chunks, startFrames });
    }
    if (!reader.finished) throw new RangeError('bytes are left after the last track');
    return table;
  }
}

/** Ordinal of the chunk of a track in which a track frame lies (the first one for a frame before it). */
export function chunkAt(track: IndexedTrack, frame: number): number {
  let low = 0;
  let high = track.startFrames.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (track.startFrames[middle] <= frame) low = middle + 1;
    else high = middle;
  }
  return track.chunks[Math.max(0, low - 1)];
}

/** A set of ordinals that grows with them. */
export class OrdinalSet {
  private bits: Uint8Array;
  size = 0;

  constructor(bits: Uint8Array = new Uint8Array(8)) {
    this.bits = bits;
    for (let byte of bits) for (; byte !== 0; byte &= byte - 1) this.size++;
  }

  has(ordinal: number): boolean {
    return ordinal >>> 3 < this.bits.length && (this.bits[ordinal >>> 3] & (1 << (ordinal & 7))) !== 0;
  }

  add(ordinal: number): void {
    if (this.has(ordinal)) return;
    if (ordinal >>> 3 >= this.bits.length) {
      const grown = new Uint8Array(Math.max(this.bits.length * 2, (ordinal >>> 3) + 1));
      grown.set(this.bits);
      this.bits = grown;
    }
    this.bits[ordinal >>> 3] |= 1 << (ordinal & 7);
    this.size++;
  }

  /** A copy of the bits, lowest ordinal in the lowest bit of the first byte. */
  toBytes(): Uint8Array {
    return this.bits.slice();
  }
}
