/**
 * Gathers true and chance alignments of query clips for training/fingerprint/train_spectral.py.
 *
 *   node test/quality/fingerprint/spectral-examples.ts MUSIC SETS OUT.jsonl CACHE [--only REGEX] [--step N]
 *
 * SETS comes from make_queries.py. OUT gets a line for every clip's true place and for each of the
 * places of other tracks that the search took for the best ones: what the network sees of them at gain 0.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  fingerprintConfig,
  framesPerSecond,
  QueryRaster,
  referencePeaks,
  search,
  SpectralAgreement,
  verify,
  type Alignment,
} from '@earmark/fingerprint';
import type { TrackId } from '@earmark/kernel';
import { peaksOf } from './peak-cache.ts';
import type { Query } from './report.ts';
import { openSetCatalog } from './set-catalog.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, step: { type: 'string' } },
});
const [music, sets, out, cache] = positionals;
const only = new RegExp(values.only ?? '');
const step = Number(values.step ?? 1);
/** Chance alignments kept of a clip. */
const mostChances = 8;

const read = <T>(name: string): T => JSON.parse(readFileSync(join(sets, name), 'utf8')) as T;
const { index, tracks, references } = openSetCatalog(music, sets, cache);

/** Pitch change of a set in steps of 1/36 octave. */
function shiftOf(set: string): number {
  const [, kind, percent] = /^(pitch|speed)_([+-]\d+)%/.exec(set) ?? [];
  return kind === undefined ? 0 : fingerprintConfig.stepsPerOctave * Math.log2(1 + Number(percent) / 100);
}

const lines: string[] = [];
for (const query of read<Query[]>('truth.json')) {
  if (!only.test(query.set) || Number(/(\d+)\.\w+$/.exec(query.id)?.[1]) % step !== 0) continue;
  const peaks = peaksOf(join(sets, query.id), cache);
  const spectrum = SpectralAgreement.of(peaks);
  if (!spectrum) continue;
  const found = await search(peaks, index, references);
  const push = async (trackId: TrackId, line: Alignment, right: boolean): Promise<void> => {
    const reference = await references.get(trackId);
    if (!reference) return;
    const rows = Array.from(spectrum.describe(reference, line), (value) => Math.round(value * 100) / 100);
    lines.push(JSON.stringify({ id: query.id, set: query.set, right, rows }));
  };
  if (query.track !== null) {
    const trackId = query.track as TrackId;
    const track = tracks.get(trackId);
    if (!track) continue;
    const start = {
      offset: query.ref_start * framesPerSecond,
      speed: query.tempo,
      pitch: shiftOf(query.set),
    };
    const exact = start.speed === 1 && start.pitch === 0;
    await push(trackId, verify(QueryRaster.ofQuery(peaks), referencePeaks(track), start, exact), true);
  }
  const chances = found.places.filter((place) => place.trackId !== query.track).slice(0, mostChances);
  for (const { trackId, line } of chances) await push(trackId, line, false);
}
writeFileSync(out, `${lines.join('\n')}\n`);
console.log(`${lines.length} alignments`);
