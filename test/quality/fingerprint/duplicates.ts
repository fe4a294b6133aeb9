/**
 * Measures the recognition of duplicates: pieces in four encodings must be found, edits and other pieces must not.
 *
 *   node test/quality/fingerprint/duplicates.ts MUSIC CACHE [--tracks 50]
 *
 * Takes the shortest pieces of MUSIC from 45 s on. Encodings: MP3 128k, MP3 64k mono, AAC 96k, Opus 48k. Edits of each piece: a
 * tenth cut out of the middle, the first tenth cut off, halves swapped, 1 % faster. Every piece is also looked up while it
 * is not in the index itself, and compared with 300 others at the best offset that the index proposes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Resampler } from '@earmark/dsp';
import {
  compareRecordings,
  findDuplicate,
  fingerprintConfig,
  isDuplicate,
  MemoryIndex,
  PeakExtractor,
  type Peaks,
} from '@earmark/fingerprint';
import { seededRandom, type TrackId } from '@earmark/kernel';
import { peaksOf, samplesOf } from './peak-cache.ts';
import { storedPeaksOf } from './set-catalog.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tracks: { type: 'string' } },
});
const [music, cache] = positionals;
const wanted = Number(values.tracks ?? 50);
const rate = fingerprintConfig.sampleRateHz;

const pieces = readdirSync(music)
  .filter((name) => /\.(ogg|opus|mp3|flac|wav|m4a)$/.test(name))
  .map((name) => ({ name, samples: samplesOf(join(music, name), cache) }))
  .filter(({ samples }) => samples.length >= 45 * rate)
  .sort((a, b) => a.samples.length - b.samples.length)
  .slice(0, wanted);
const extract = (samples: Float32Array): Peaks => {
  const extractor = new PeakExtractor();
  extractor.push(samples);
  return extractor.finish();
};
const stored = new Map<TrackId, Peaks>();
const index = new MemoryIndex();
for (const { name } of pieces) {
  const peaks = storedPeaksOf(join(music, name), cache);
  stored.set(name as TrackId, peaks);
  index.add(name as TrackId, peaks);
}
const peakSource = { peaksOf: (id: TrackId) => Promise.resolve(stored.get(id)) };
const sources = { index, peaks: peakSource };

const encodings = [
  { name: 'mp3-128k', ending: 'mp3', options: ['-c:a', 'libmp3lame', '-b:a', '128k'] },
  { name: 'mp3-64k-mono', ending: 'mp3', options: ['-ac', '1', '-c:a', 'libmp3lame', '-b:a', '64k'] },
  { name: 'aac-96k', ending: 'm4a', options: ['-c:a', 'aac', '-b:a', '96k'] },
  { name: 'opus-48k', ending: 'opus', options: ['-c:a', 'libopus', '-b:a', '48k'] },
];
const folder = join(cache, 'encodings');
mkdirSync(folder, { recursive: true });
let found = 0;
let asked = 0;
for (const { name } of pieces) {
  for (const encoding of encodings) {
    const file = join(folder, `${basename(name)}.${encoding.name}.${encoding.ending}`);
    if (!existsSync(file))
      spawnSync('ffmpeg', [
        '-v',
        'error',
        '-nostdin',
        '-y',
        '-i',
        join(music, name),
        '-vn',
        ...encoding.options,
        file,
      ]);
    const duplicate = await findDuplicate(peaksOf(file, cache), sources);
    asked++;
    if (duplicate?.trackId === name) found++;
    else console.log(`missed: ${name} as ${encoding.name}, found ${duplicate?.trackId ?? 'nothing'}`);
  }
}
console.log(`${found} of ${asked} encodings recognised (${pieces.length} pieces)`);

const join2 = (...parts: Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((part) => [...part]));
const faster = (samples: Float32Array): Float32Array => {
  const resampler = new Resampler(11_136, rate);
  const body = resampler.process(samples).slice();
  return join2(body, resampler.flush().slice());
};
const edits: Record<string, (samples: Float32Array) => Float32Array> = {
  'a tenth cut out': (x) =>
    join2(x.subarray(0, Math.floor(x.length * 0.45)), x.subarray(Math.floor(x.length * 0.55))),
  'first tenth cut off': (x) => x.slice(Math.floor(x.length * 0.1)),
  'halves swapped': (x) => join2(x.subarray(x.length >> 1), x.subarray(0, x.length >> 1)),
  '1 % faster': faster,
};
let wrong = 0;
let pairs = 0;
for (const { name, samples } of pieces) {
  for (const [edit, make] of Object.entries(edits)) {
    pairs++;
    const duplicate = await findDuplicate(extract(make(samples)), sources);
    if (duplicate) {
      wrong++;
      console.log(
        `wrong: ${name}, ${edit}: ${duplicate.trackId} coverage ${duplicate.coverage.toFixed(3)} speed ${duplicate.speed.toFixed(4)}`,
      );
    }
  }
}
const random = seededRandom(7);
for (let i = 0; i < 300; i++) {
  const a = pieces[Math.floor(random.next() * pieces.length)].name as TrackId;
  const b = pieces[Math.floor(random.next() * pieces.length)].name as TrackId;
  const [first, second] = [stored.get(a), stored.get(b)];
  if (a === b || !first || !second) continue;
  pairs++;
  if (isDuplicate(compareRecordings(first, second, 0))) {
    wrong++;
    console.log(`wrong: ${a} and ${b}`);
  }
}
console.log(`${wrong} of ${pairs} other pairs taken for duplicates`);
