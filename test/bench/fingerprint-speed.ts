/**
 * Measures how fast audio becomes peaks and hashes on one core, and how many bytes they take.
 *
 *   node test/bench/fingerprint-speed.ts MUSIC CACHE [--tracks 20]
 *
 * Decoding is left out: samples come from a cache (see test/quality/fingerprint/peak-cache.ts).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  chunkRanges,
  encodePeaks,
  fingerprintConfig,
  indexLandmarks,
  limitDensity,
  PeakExtractor,
} from '@earmark/fingerprint';
import { samplesOf } from '../quality/fingerprint/peak-cache.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tracks: { type: 'string' } },
});
const [music, cache] = positionals;
const files = readdirSync(music)
  .filter((name) => /\.(ogg|opus|mp3|flac|wav|m4a)$/.test(name))
  .slice(0, Number(values.tracks ?? 20));

const seconds = { audio: 0, extraction: 0, hashing: 0, encoding: 0 };
const counts = { peaks: 0, landmarks: 0, peakBytes: 0 };
const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
for (const [i, file] of files.entries()) {
  const samples = samplesOf(join(music, file), cache);
  const begin = cpu();
  const extractor = new PeakExtractor(fingerprintConfig.indexQuota);
  for (let at = 0; at < samples.length; at += 32_768) extractor.push(samples.subarray(at, at + 32_768));
  const peaks = limitDensity(extractor.finish(), fingerprintConfig.indexQuota);
  const extracted = cpu();
  let landmarks = 0;
  for (const range of chunkRanges(peaks.lengthFrames))
    landmarks += indexLandmarks(peaks, range).hashes.length;
  const hashed = cpu();
  const bytes = encodePeaks(peaks).length;
  if (i === 0) continue; // the first track warms the compiler up
  seconds.audio += samples.length / fingerprintConfig.sampleRateHz;
  seconds.extraction += extracted - begin;
  seconds.hashing += hashed - extracted;
  seconds.encoding += cpu() - hashed;
  counts.peaks += peaks.frames.length;
  counts.landmarks += landmarks;
  counts.peakBytes += bytes;
}
const hours = seconds.audio / 3600;
const total = seconds.extraction + seconds.hashing + seconds.encoding;
console.log(`${files.length - 1} tracks, ${hours.toFixed(2)} h`);
console.log(
  `extraction ${(seconds.audio / seconds.extraction).toFixed(0)}, hashing ${(seconds.audio / seconds.hashing).toFixed(0)}, all ${(seconds.audio / total).toFixed(0)} x real time per core`,
);
console.log(
  `${Math.round(counts.peaks / hours)} peaks, ${Math.round(counts.landmarks / hours)} landmarks, ${Math.round(counts.peakBytes / hours)} bytes of peaks an hour`,
);
