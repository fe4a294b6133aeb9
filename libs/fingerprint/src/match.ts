import type { TrackId } from '@earmark/kernel';
import type { MissingPeaks } from './missing-peaks.js';
import type { Verified } from './verification.js';

/** How the music stands in the mix. */
export type MatchRole = 'foreground' | 'background' | 'under-speech';

/** Whether the recording itself was heard, or another performance or rendering of the same composition. */
export type MatchRelation = 'recording' | 'version';

/** A stretch of the query in which a track sounds; the fields of MATCH in the contracts. */
export type Match = Readonly<{
  trackId: TrackId;
  queryStartMs: number;
  queryEndMs: number;
  /** What sounds at `queryStartMs`. */
  referenceStartMs: number;
  /** What sounds at `queryEndMs`. */
  referenceEndMs: number;
  /** Standard deviations ahead of chance. */
  score: number;
  /** Calibrated, 0..1. */
  probability: number;
  /** Reference milliseconds per query millisecond: 1.05 when the query plays 5 % faster. */
  speedRatio: number;
  /** Query above reference. */
  pitchCents: number;
  role: MatchRole;
  relation: MatchRelation;
  /** Other tracks that share the audio, best first. */
  alternatives?: readonly Readonly<{ trackId: TrackId; probability: number }>[];
}>;

/** Agreement from which it is possible to tell a version from the recording. */
const leastVersionZ = 12;
/** Changes below these are those of the same recording: clocks, codecs. */
const noChange = { speed: 0.004, pitch: 0.2 } as const;
/** Sharpness below which changed audio is another rendering, where nothing is known of missing peaks. */
const leastSharpness = 0.58;
/** Peaks that must be open to judgement, and their share of those compared: a mix that hides most shows nothing. */
const leastJudged = { count: 25, share: 0.25 } as const;
/**
 * What another rendering lacks, and how blurred it is at most. At the same tempo and key rooms blur as well, and they
 * weaken some peaks.
 */
const lacking = {
  same: { missing: 0.06, sharpness: 0.5 },
  changed: { missing: 0.03, sharpness: 0.6 },
} as const;
/**
 * The same synthesizer at another tempo lacks next to nothing, but its peaks are blurred more than those of a recording
 * stretched that far, which has this sharpness at least: less the larger the change of speed (as a logarithm) and pitch (steps).
 */
const stretched = { softer: 0.015, sharpness: 0.8, perLogSpeed: 0.8, perPitch: 0.03 } as const;

/**
 * Tells another version of a composition, played or rendered by others, from the recording: its peaks lie near those of
 * the reference but not exactly on them, and some that nothing covers are missing. Thresholds by
 * test/quality/fingerprint/versions.ts.
 *
 * @param missing what the query lacks; absent for long recordings, whose spectrum is not kept: there a version at the same
 * tempo and key is taken for the recording
 */
export function relationOf(line: Verified, missing?: MissingPeaks): MatchRelation {
  if (line.z < leastVersionZ) return 'recording';
  const changed = Math.abs(line.speed - 1) > noChange.speed || Math.abs(line.pitch) > noChange.pitch;
  if (!missing || missing.compared === 0)
    return changed && line.sharpness < leastSharpness ? 'version' : 'recording';
  return isJudged(missing) && (changed ? lacksWhenChanged(line, missing) : lacks(line, missing, lacking.same))
    ? 'version'
    : 'recording';
}

function isJudged({ judged, compared }: MissingPeaks): boolean {
  return judged >= leastJudged.count && judged >= leastJudged.share * compared;
}

function lacks(
  { sharpness }: Verified,
  { missing }: MissingPeaks,
  limits: Readonly<{ missing: number; sharpness: number }>,
): boolean {
  return missing >= limits.missing && sharpness < limits.sharpness;
}

function lacksWhenChanged(line: Verified, missing: MissingPeaks): boolean {
  const { softer, sharpness, perLogSpeed, perPitch } = stretched;
  const least = sharpness - perLogSpeed * Math.abs(Math.log(line.speed)) - perPitch * Math.abs(line.pitch);
  return lacks(line, missing, lacking.changed) || (missing.softer >= softer && line.sharpness < least);
}
