import type { TrackId } from '@earmark/kernel';
import { centsPerStep, type Candidate, type CandidateSource, type PeakSource } from './candidate.js';
import { decide, type Decision } from './decision.js';
import type { Peaks } from './peaks.js';
import { strengthOf, type Place } from './place.js';
import { queryLandmarks } from './query-landmarks.js';
import { QueryRaster, referencePeaks, type Alignment, type ReferencePeaks } from './query-raster.js';
import { searchLevels, type SearchLevel } from './search-levels.js';
import { ShiftProfile } from './shift-profile.js';
import { SpectralAgreement } from './spectral-agreement.js';
import { foreignSteadiness } from './tone-steadiness.js';
import { glance, verify, type Verified } from './verification.js';

/** Where a search looks. */
export type SearchSources = Readonly<{
  index: CandidateSource;
  peaks: PeakSource;
  /** Tracks that searches before this one have met; absent: none. */
  references?: ReferenceCache;
}>;

/** What one query found, undecided places included. */
export type SearchResult = Readonly<{
  raster: QueryRaster;
  /** Verified places, best agreement first. */
  places: readonly Place[];
  decision: Decision | undefined;
  /** Name of the level that ended the search. */
  level: string;
}>;

/** Stored peaks of the tracks that searches have met, prepared for verification, as long as they are used. */
export class ReferenceCache {
  /** Least recently used first. */
  private readonly known = new Map<TrackId, ReferencePeaks>();

  /** @param capacity tracks held at once; one of four minutes takes 150 kB */
  constructor(
    private readonly source: PeakSource,
    private readonly capacity = 256,
  ) {}

  /** Whether {@link get} needs no peaks for the track. */
  has(trackId: TrackId): boolean {
    return this.known.has(trackId);
  }

  /** Prepared peaks of a track; absent when it is gone. */
  async get(trackId: TrackId): Promise<ReferencePeaks | undefined> {
    const held = this.known.get(trackId);
    if (held) {
      this.known.delete(trackId);
      this.known.set(trackId, held);
      return held;
    }
    const peaks = await this.source.peaksOf(trackId);
    if (!peaks) return undefined;
    const reference = referencePeaks(peaks);
    for (const oldest of this.known.keys()) {
      if (this.known.size < this.capacity) break;
      this.known.delete(oldest);
    }
    this.known.set(trackId, reference);
    return reference;
  }
}

/**
 * Looks for a query, level by level, until the answer is certain.
 *
 * @param peaks of the query at query density, at most about 60 s
 * @param levels which levels to use, default all
 */
export async function search(
  peaks: Peaks,
  index: CandidateSource,
  references: ReferenceCache,
  levels: readonly SearchLevel[] = searchLevels,
): Promise<SearchResult> {
  const raster = QueryRaster.ofQuery(peaks);
  const shifts = new ShiftProfile(peaks);
  const places: Place[] = [];
  let spectrum: SpectralAgreement | undefined;
  let decision: Decision | undefined;
  let level = 'none';
  if (peaks.frames.length < leastPeaks) return { raster, places, decision, level };
  for (const step of levels) {
    if (step.faint && !peaks.spectrum) continue;
    level = step.name;
    const found = await index.candidates(
      queryLandmarks(peaks, step.depth),
      peaks.lengthFrames,
      step.candidates,
      step.postings,
    );
    for (const place of await verifyBest(raster, references, found, step.refined)) addPlace(places, place);
    places.sort((a, b) => b.line.z - a.line.z);
    const contrast = await settle(raster, shifts, references, places);
    if (!spectrum) decision = await decide(raster, places, contrast, references);
    if (decision?.certain) break;
    spectrum ??= SpectralAgreement.of(peaks);
    if (spectrum) decision = await decideBySpectrum(peaks, spectrum, raster, shifts, references, places);
    if (decision?.certain) break;
  }
  return { raster, places, decision, level };
}

/** Places of a query that are compared with its spectrogram. */
const mostHeard = 24;

/** Decides with what the query's spectrogram says of the best places; `places` stays as it is. */
async function decideBySpectrum(
  peaks: Peaks,
  spectrum: SpectralAgreement,
  raster: QueryRaster,
  shifts: ShiftProfile,
  references: ReferenceCache,
  places: Place[],
): Promise<Decision | undefined> {
  for (const [i, place] of places.slice(0, mostHeard).entries()) {
    const reference = await references.get(place.trackId);
    if (reference && place.spectral === undefined)
      places[i] = { ...place, spectral: spectrum.along(reference, place.line) };
  }
  const heard = places.slice(0, mostHeard).sort((a, b) => strengthOf(b) - strengthOf(a));
  const [top] = heard;
  const reference = top && (await references.get(top.trackId));
  if (!reference) return undefined;
  const { contrast } = shifts.standing(reference, top.line);
  return decide(raster, heard, contrast, references, foreignSteadiness(peaks, reference, top.line));
}

/** Peaks below which a query says nothing. */
const leastPeaks = 12;

/**
 * Compares the best place with all others of its track; where one has clearly more coincidences, as in music that
 * repeats itself with changes, it takes the lead.
 *
 * @returns how far the best place is ahead of the others
 */
async function settle(
  raster: QueryRaster,
  shifts: ShiftProfile,
  references: ReferenceCache,
  places: Place[],
): Promise<number> {
  const [top] = places;
  const reference = top && (await references.get(top.trackId));
  if (!top || !reference) return 0;
  const standing = shifts.standing(reference, top.line);
  if (standing.bestGain < clearGain) return standing.contrast;
  const line = verifyBothWays(raster, reference, { ...top.line, offset: standing.bestOffset });
  if (line.z <= top.line.z) return standing.contrast;
  addPlace(places, { trackId: top.trackId, votes: top.votes, line });
  places.sort((a, b) => b.line.z - a.line.z);
  return shifts.standing(reference, line).contrast;
}

/** Coincidences, relative to the best place's, from which another place is tried. */
const clearGain = 1.1;

async function verifyBest(
  raster: QueryRaster,
  references: ReferenceCache,
  found: readonly Candidate[],
  refined: number,
): Promise<readonly Place[]> {
  const glances: { candidate: Candidate; reference: ReferencePeaks; start: Alignment; z: number }[] = [];
  for (const candidate of found) {
    const reference = await references.get(candidate.trackId);
    if (!reference || candidate.offsetFrames === undefined) continue;
    const start = {
      offset: candidate.offsetFrames,
      speed: candidate.speed ?? 1,
      pitch: (candidate.pitchCents ?? 0) / centsPerStep,
    };
    glances.push({ candidate, reference, start, z: glance(raster, reference, start) });
  }
  glances.sort((a, b) => b.z - a.z);
  const places: Place[] = [];
  for (const { candidate, reference, start } of glances.slice(0, refined)) {
    const line = verifyBothWays(raster, reference, start);
    if (line.expected >= leastCompared)
      places.push({ trackId: candidate.trackId, votes: candidate.evidence, line });
  }
  return places;
}

/** Reference peaks inside the query below which an agreement says nothing. */
const leastCompared = 4;

/** Frames that a proposal may drift over the query and still be tried at nominal speed; short queries tell speed badly. */
const nominalDrift = 4;
/** Agreement that a change of speed and pitch must add to be believed. */
const nominalAdvantage = 0.8;

/** Refines freely, and at exactly nominal speed and pitch where that is near: the simpler line wins a tie. */
function verifyBothWays(raster: QueryRaster, reference: ReferencePeaks, start: Alignment): Verified {
  const free = verify(raster, reference, start, false);
  const speedTolerance = Math.min(0.06, Math.max(0.012, nominalDrift / raster.lengthFrames));
  if (Math.abs(start.speed - 1) > speedTolerance || Math.abs(start.pitch) > 0.7) return free;
  const offset = start.offset + ((start.speed - 1) * raster.lengthFrames) / 2;
  const exact = verify(raster, reference, { offset, speed: 1, pitch: 0 }, true);
  return exact.z >= free.z - nominalAdvantage ? exact : free;
}

function addPlace(places: Place[], place: Place): void {
  const same = places.findIndex(
    (other) =>
      other.trackId === place.trackId &&
      Math.abs(other.line.offset - place.line.offset) < 8 &&
      Math.abs(other.line.speed - place.line.speed) < 0.02,
  );
  if (same < 0) places.push(place);
  else {
    const votes = Math.max(places[same].votes, place.votes);
    places[same] = { ...(place.line.z > places[same].line.z ? place : places[same]), votes };
  }
}
