import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { fingerprintConfig } from './config.js';
import { PeakExtractor } from './peak-extractor.js';
import { limitDensity, type Peaks } from './peaks.js';
import { roleOf } from './role.js';
import { syntheticMusic } from './synthetic-music.fixture.js';

const rate = fingerprintConfig.sampleRateHz;
const music = syntheticMusic(3, 10);

function extract(samples: Float32Array): Peaks {
  const extractor = new PeakExtractor();
  extractor.push(samples);
  return extractor.finish();
}

const reference = limitDensity(extract(music), fingerprintConfig.indexQuota);
const line = { offset: 0, speed: 1, pitch: 0 };
const roleWith = (other: (n: number) => number) => {
  const query = extract(music.map((value, n) => value + other(n)));
  return roleOf(query, reference, line, 0, query.lengthFrames);
};

/** Syllables of gliding harmonics, three a second with pauses between them. */
function voice(n: number): number {
  const seconds = n / rate;
  const syllable = Math.floor(seconds * 3);
  const within = seconds * 3 - syllable;
  if (within > 0.6 || syllable % 5 === 4) return 0;
  const hertz = 120 + 15 * (syllable % 4) + 25 * within;
  let sum = 0;
  for (let partial = 1; partial <= 22; partial++)
    sum += Math.sin(2 * Math.PI * partial * hertz * seconds) / Math.sqrt(partial);
  return 0.6 * Math.sin(Math.PI * (within / 0.6)) * sum;
}

describe('roleOf', () => {
  it('puts music alone in the foreground', () => {
    expect(roleWith(() => 0)).toBe('foreground');
  });

  it('puts music under steady noise in the background', () => {
    const random = seededRandom(8);
    expect(roleWith(() => 0.8 * (random.next() - 0.5))).toBe('background');
  });

  it('hears a voice that pauses and glides over the music', () => {
    expect(roleWith(voice)).toBe('under-speech');
  });
});
