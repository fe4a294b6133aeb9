import type { TrackId } from '@earmark/kernel';
import { slicePeaks, type Peaks } from './peaks.js';
import { QueryRaster, type Profile, type ReferencePeaks } from './query-raster.js';
import { scanWindows } from './scan-windows.js';
import { pieceEvidence } from './segment-borders.js';
import type { Verified } from './verification.js';

/** Pieces of which borders are made, frames: a quarter of a second. */
export const pieceFrames = 11;
const piecesPerHop = scanWindows.hop / pieceFrames;
/** Hops without the track after which its end is believed. */
const mostMisses = 3;

/** What one window of a scan found; the line counts from the recording's frame 0. */
export type ScanWindow = Readonly<{
  /** First frame. */
  start: number;
  trackId: TrackId;
  line: Verified;
  votes: number;
  score: number;
  probability: number;
  alternatives: readonly Readonly<{ trackId: TrackId; strength: number }>[];
}>;

/** Windows that lie on one line of one track. */
export type Strand = { trackId: TrackId; windows: ScanWindow[] };

/** Rasters of the stretches around the hops of a recording, the last ones kept. */
export class RasterCache {
  private readonly known = new Map<number, { raster: QueryRaster; from: number }>();

  constructor(private readonly peaks: Peaks) {}

  get lengthFrames(): number {
    return this.peaks.lengthFrames;
  }

  /** Raster of the window whose middle is the hop's, and its first frame. */
  around(hop: number): { raster: QueryRaster; from: number } {
    let entry = this.known.get(hop);
    if (!entry) {
      const from = Math.max(0, hop * scanWindows.hop - (scanWindows.length - scanWindows.hop) / 2);
      entry = { raster: QueryRaster.ofQuery(slicePeaks(this.peaks, from, from + scanWindows.length)), from };
      if (this.known.size >= mostRasters) this.known.delete(this.known.keys().next().value ?? 0);
      this.known.set(hop, entry);
    }
    return entry;
  }
}

/** Rasters held at once (0.4 MB each). */
const mostRasters = 64;

/** Agreement of a strand's line with the recording, hop by hop, as far as it is needed. */
export class Trace {
  private first: number;
  private last: number;
  private readonly hops = new Map<number, Profile>();

  constructor(
    private readonly strand: Strand,
    private readonly reference: ReferencePeaks,
    private readonly rasters: RasterCache,
  ) {
    const { windows } = strand;
    this.first = Math.floor(windows[0].start / scanWindows.hop);
    this.last = Math.min(this.lastHop(), Math.floor(windows[windows.length - 1].start / scanWindows.hop) + 1);
  }

  get startFrame(): number {
    return this.first * scanWindows.hop;
  }

  /** Agreement per unit of weight in the best window, where the track surely sounds. */
  coreExcess(): number {
    const best = bestOf(this.strand.windows);
    const hop = Math.floor(best.start / scanWindows.hop);
    let excess = 0;
    let weight = 0;
    for (const part of [this.at(hop), this.at(Math.min(this.lastHop(), hop + 1))]) {
      for (let piece = 0; piece < piecesPerHop; piece++) {
        excess += part.excess[piece];
        weight += part.weight[piece];
      }
    }
    return weight === 0 ? 0 : excess / weight;
  }

  /** Goes on at both ends while the track is heard, and a little beyond. */
  extend(core: number): void {
    let misses = 0;
    while (this.first > 0 && misses < mostMisses) misses = this.isHeard(--this.first, core) ? 0 : misses + 1;
    misses = 0;
    while (this.last < this.lastHop() && misses < mostMisses)
      misses = this.isHeard(++this.last, core) ? 0 : misses + 1;
  }

  /** All hops in one. */
  profile(): Profile {
    const pieces = (this.last - this.first + 1) * piecesPerHop;
    const all = {
      excess: new Float32Array(pieces),
      variance: new Float32Array(pieces),
      weight: new Float32Array(pieces),
    };
    for (let hop = this.first; hop <= this.last; hop++) {
      const part = this.at(hop);
      const at = (hop - this.first) * piecesPerHop;
      all.excess.set(part.excess, at);
      all.variance.set(part.variance, at);
      all.weight.set(part.weight, at);
    }
    return all;
  }

  private isHeard(hop: number, core: number): boolean {
    const part = this.at(hop);
    let evidence = 0;
    for (let piece = 0; piece < piecesPerHop; piece++) evidence += pieceEvidence(part, piece, core);
    return evidence > 0;
  }

  /** Measures one hop along the line of the nearest window. */
  private at(hop: number): Profile {
    let part = this.hops.get(hop);
    if (!part) {
      const { raster, from } = this.rasters.around(hop);
      const start = hop * scanWindows.hop;
      const middle = start + scanWindows.hop / 2;
      const { line } = this.strand.windows.reduce((a, b) =>
        distance(b, middle) < distance(a, middle) ? b : a,
      );
      const local = { ...line, offset: line.offset + line.speed * from };
      part = raster.profile(this.reference, local, start - from, pieceFrames, piecesPerHop);
      this.hops.set(hop, part);
    }
    return part;
  }

  private lastHop(): number {
    return Math.max(0, Math.ceil(this.rasters.lengthFrames / scanWindows.hop) - 1);
  }
}

function distance(window: ScanWindow, frame: number): number {
  return Math.abs(window.start + scanWindows.length / 2 - frame);
}

/** The window with the strongest agreement. */
export function bestOf(windows: readonly ScanWindow[]): ScanWindow {
  return windows.reduce((a, b) => (b.line.z > a.line.z ? b : a));
}
