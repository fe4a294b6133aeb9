import { Delta, type TrackInput } from './delta.js';
import type { HitBatch, ProbeList } from './hits.js';
import type { SegmentReader } from './segment-reader.js';
import { OrdinalSet, type TrackTable } from './track-table.js';
import type { LogOperation } from './write-ahead-log.js';

/** A segment file in use, with the tracks that were removed since it was written. */
export class LiveSegment {
  constructor(
    readonly reader: SegmentReader,
    readonly dead: OrdinalSet,
  ) {}

  get tracks(): TrackTable {
    return this.reader.tracks;
  }

  lookup(probes: ProbeList, hits: HitBatch): Promise<void> {
    return this.reader.lookup(probes, hits);
  }
}

/** Where landmarks are found: a segment file or a delta in memory. */
export type PostingSource = LiveSegment | Delta;

/**
 * What the index holds at a moment: segments, deltas, and for every live track the one place where it is alive. The
 * operations of the log change it; writing segments moves tracks from one source to another.
 */
export class IndexState {
  segments: LiveSegment[] = [];
  /** Oldest first; the last one takes what is added. */
  deltas: Delta[] = [new Delta()];
  appliedSequence = 0;
  landmarks = 0;
  private readonly places = new Map<string, { source: PostingSource; ordinal: number }>();

  get trackCount(): number {
    return this.places.size;
  }

  get active(): Delta {
    return this.deltas[this.deltas.length - 1];
  }

  /** Segments before deltas, each oldest first. */
  get sources(): PostingSource[] {
    return [...this.segments, ...this.deltas];
  }

  has(trackId: string): boolean {
    return this.places.has(trackId);
  }

  /** Applies an operation of the log; applying a log twice ends in the same state. */
  apply(operation: LogOperation): void {
    if (operation.kind === 'remove') this.kill(operation.trackId);
    else for (const track of operation.tracks) this.put(track);
    this.appliedSequence = Math.max(this.appliedSequence, operation.sequence ?? 0);
  }

  private put(track: TrackInput): void {
    this.kill(track.trackId);
    const source = this.active;
    const ordinal = source.add(track);
    this.places.set(track.trackId, { source, ordinal });
    this.landmarks += source.tracks.tracks[ordinal].landmarks;
  }

  private kill(trackId: string): void {
    const place = this.places.get(trackId);
    if (!place) return;
    place.source.dead.add(place.ordinal);
    this.places.delete(trackId);
    this.landmarks -= place.source.tracks.tracks[place.ordinal].landmarks;
  }

  /** Takes in a segment of the manifest. */
  open(segment: LiveSegment): void {
    this.segments.push(segment);
    segment.tracks.tracks.forEach((track, ordinal) => {
      if (segment.dead.has(ordinal)) return;
      this.places.set(track.trackId, { source: segment, ordinal });
      this.landmarks += track.landmarks;
    });
  }

  /**
   * Puts a finished segment (absent: nothing was alive) in the place of the sources that it was made from. Tracks that
   * were removed or replaced meanwhile are dead in it from the start.
   */
  replace(old: readonly PostingSource[], reader: SegmentReader | undefined): void {
    const at = this.segments.findIndex((segment) => old.includes(segment));
    this.segments = this.segments.filter((segment) => !old.includes(segment));
    this.deltas = this.deltas.filter((delta) => !old.includes(delta));
    if (!reader) return;
    const segment = new LiveSegment(reader, new OrdinalSet());
    this.segments.splice(at < 0 ? this.segments.length : at, 0, segment);
    reader.tracks.tracks.forEach(({ trackId }, ordinal) => {
      const place = this.places.get(trackId);
      if (place && old.includes(place.source)) this.places.set(trackId, { source: segment, ordinal });
      else segment.dead.add(ordinal);
    });
  }

  /** Live chunks. */
  countChunks(): number {
    let chunks = 0;
    for (const source of this.sources) {
      chunks += source.tracks.chunkCount;
      if (source.dead.size === 0) continue;
      source.tracks.tracks.forEach((track, ordinal) => {
        if (source.dead.has(ordinal)) chunks -= track.chunks.length;
      });
    }
    return chunks;
  }

  /** Tracks that still take space in a source but are removed. */
  countDead(): number {
    return this.sources.reduce((sum, source) => sum + source.dead.size, 0);
  }
}

/** Landmarks of the live tracks of a source. */
export function liveLandmarks(source: Pick<PostingSource, 'tracks' | 'dead'>): number {
  if (source.dead.size === 0) return source.tracks.landmarks;
  let live = 0;
  source.tracks.tracks.forEach((track, ordinal) => {
    if (!source.dead.has(ordinal)) live += track.landmarks;
  });
  return live;
}
