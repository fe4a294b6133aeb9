import { fingerprintConfig, limitDensity, type Peaks } from '@earmark/fingerprint';
import { seededRandom, type Random } from '@earmark/kernel';

/** Steps from the configuration's first to its last bin: the pitch axis, on which copies go round. */
const pitchRange =
  Math.log2(fingerprintConfig.lastBin / fingerprintConfig.firstBin) * fingerprintConfig.stepsPerOctave;
const stepsPerSemitone = fingerprintConfig.stepsPerOctave / 12;

/** Length of the nth copy in frames: what {@link madeUpPeaks} gives, without the peaks. */
export function madeUpFrames(music: readonly Peaks[], n: number): number {
  return Math.ceil(music[n % music.length].lengthFrames * changeOf(n).stretch) + 1;
}

/** How the nth copy is changed, and the chance that decides the rest. */
function changeOf(n: number): { shift: number; stretch: number; backwards: boolean; random: Random } {
  const random = seededRandom(n + 1);
  const sign = random.next() < 0.5 ? -1 : 1;
  const shift = sign * (5 + 4 * random.next()) * stepsPerSemitone;
  const stretch = 2 ** (0.64 * (random.next() - 0.5));
  return { shift, stretch, backwards: random.next() < 0.5, random };
}

/**
 * Peaks of made-up music that no search may find from the original: a real recording transposed by 5 to 9 semitones
 * (searches look within 4.3), played up to a quarter faster or slower, half of them backwards, every peak moved by up to
 * half a frame and a quarter of a step and a tenth of them missing. Peaks that leave the pitch axis at one end come in
 * at the other, so that density and the frequency of each hash stay those of music.
 *
 * @param music real recordings, copied by turns
 * @param n number of the copy; decides everything
 */
export function madeUpPeaks(music: readonly Peaks[], n: number): Peaks {
  const { shift, stretch, backwards, random } = changeOf(n);
  const source = limitDensity(music[n % music.length], fingerprintConfig.indexQuota);
  const total = source.frames.length;
  const frames = new Float32Array(total);
  const pitches = new Float32Array(total);
  const levels = new Float32Array(total);
  const ranks = new Uint8Array(total);
  let count = 0;
  for (let k = 0; k < total; k++) {
    const i = backwards ? total - 1 - k : k;
    const chance = random.next();
    if (chance < 0.1) continue;
    const place = (backwards ? source.lengthFrames - source.frames[i] : source.frames[i]) * stretch;
    const frame = Math.round(8 * Math.max(0, place + random.next() - 0.5)) / 8;
    const pitch = source.pitches[i] + shift + (chance - 0.55) / 1.8;
    let at = count++;
    for (; at > 0 && frames[at - 1] > frame; at--) {
      frames[at] = frames[at - 1];
      pitches[at] = pitches[at - 1];
      levels[at] = levels[at - 1];
      ranks[at] = ranks[at - 1];
    }
    frames[at] = frame;
    pitches[at] = Math.floor(32 * (pitch - pitchRange * Math.floor(pitch / pitchRange))) / 32;
    levels[at] = source.levels[i];
    ranks[at] = source.ranks[i];
  }
  return {
    frames: frames.subarray(0, count),
    pitches: pitches.subarray(0, count),
    levels: levels.subarray(0, count),
    ranks: ranks.subarray(0, count),
    lengthFrames: madeUpFrames(music, n),
  };
}
