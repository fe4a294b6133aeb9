/**
 * Measures how the role of a clip is told (foreground, background, under-speech), at its true place: macro-F1.
 *
 *   node test/quality/fingerprint/roles.ts MUSIC SETS CACHE [--step N]
 *
 * SETS comes from make_queries.py: speech sets are under speech, sets with noise, babble or a noisy room are background, clean,
 * coded and reverberant ones are foreground. Clips in which the music cannot be made out (agreement under 7) do not count.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  fingerprintConfig,
  framesPerSecond,
  QueryRaster,
  referencePeaks,
  roleOf,
  verify,
  type MatchRole,
  type Peaks,
} from '@earmark/fingerprint';
import { peaksOf } from './peak-cache.ts';
import { storedPeaksOf } from './set-catalog.ts';
import type { Query } from './report.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { step: { type: 'string' } } });
const [music, sets, cache] = positionals;
const step = Number(values.step ?? 1);
const leastAgreement = 7;
const roles: readonly MatchRole[] = ['foreground', 'background', 'under-speech'];

function trueRole(set: string): MatchRole | undefined {
  if (set.includes('speech')) return 'under-speech';
  if (/cafe|noise|pink|room_mic/.test(set)) return 'background';
  return /^(clean_(3|5|10)|mp3|aac|telephone|reverb|recorded_room|quiet|(pitch|tempo|speed)_[+-][125]%$)/.test(
    set,
  )
    ? 'foreground'
    : undefined;
}

/** Pitch change of a set in steps of 1/36 octave. */
function trueShift(set: string): number {
  const [, kind, percent] = /^(pitch|speed)_([+-]\d+)%/.exec(set) ?? [];
  return kind === undefined ? 0 : fingerprintConfig.stepsPerOctave * Math.log2(1 + Number(percent) / 100);
}

const tracks = new Map<string, Peaks>();
const counts = new Map<string, number>();
const errors = new Map<string, number>();
const truth = JSON.parse(readFileSync(join(sets, 'truth.json'), 'utf8')) as Query[];
let total = 0;
for (const query of truth) {
  const role = trueRole(query.set);
  if (query.track === null || role === undefined || Number(/(\d+)\.\w+$/.exec(query.id)?.[1]) % step !== 0)
    continue;
  const track = tracks.get(query.track) ?? storedPeaksOf(join(music, query.track), cache);
  tracks.set(query.track, track);
  const peaks = peaksOf(join(sets, query.id), cache);
  const start = {
    offset: query.ref_start * framesPerSecond,
    speed: query.tempo,
    pitch: trueShift(query.set),
  };
  const exact = start.speed === 1 && start.pitch === 0;
  const line = verify(QueryRaster.ofQuery(peaks), referencePeaks(track), start, exact);
  if (line.z < leastAgreement) continue;
  const found = roleOf(peaks, track, line, 0, peaks.lengthFrames);
  const key = `${role} -> ${found}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
  if (found !== role)
    errors.set(`${query.set} -> ${found}`, (errors.get(`${query.set} -> ${found}`) ?? 0) + 1);
  total++;
}
const count = (a: MatchRole, b: MatchRole): number => counts.get(`${a} -> ${b}`) ?? 0;
let sum = 0;
for (const role of roles) {
  const wanted = roles.reduce((all, other) => all + count(role, other), 0);
  const given = roles.reduce((all, other) => all + count(other, role), 0);
  const f1 = (2 * count(role, role)) / Math.max(1, wanted + given);
  sum += f1;
  console.log(`${role}: ${count(role, role)} of ${wanted}, given ${given} times, F1 ${f1.toFixed(3)}`);
}
console.log(`${total} clips, macro-F1 ${(sum / roles.length).toFixed(3)}`);
for (const [error, times] of [...errors].sort((a, b) => b[1] - a[1])) console.log(`  ${error}: ${times}`);
