import { seededRandom } from '@earmark/kernel';
import { fingerprintConfig } from './config.js';

/**
 * Renders seeded notes with decaying partials over soft noise: material for tests, unlike any other seed's.
 *
 * @param seconds duration
 * @param speed plays faster and higher, like a turntable
 * @param partials loudness of the first three partials: the instrument
 */
export function syntheticMusic(
  seed: number,
  seconds: number,
  speed = 1,
  partials: readonly [number, number, number] = [1, 0.5, 0.25],
): Float32Array {
  const [first, second, third] = partials;
  const random = seededRandom(seed);
  const rate = fingerprintConfig.sampleRateHz;
  const out = new Float32Array(Math.floor(seconds * rate));
  for (let at = 0; at < seconds * speed; at += 0.08 + 0.15 * random.next()) {
    const hertz = 220 * 2 ** (Math.floor(36 * random.next()) / 12) * speed;
    const loudness = 0.05 + 0.1 * random.next();
    const decay = (2 + 6 * random.next()) * speed;
    const start = Math.floor((at / speed) * rate);
    const end = Math.min(out.length, start + Math.floor((rate * 0.9) / speed));
    for (let i = start; i < end; i++) {
      const t = (i - start) / rate;
      const envelope = loudness * Math.exp(-decay * t);
      out[i] +=
        envelope *
        (first * Math.sin(2 * Math.PI * hertz * t) +
          second * Math.sin(4 * Math.PI * hertz * t) +
          third * Math.sin(6 * Math.PI * hertz * t));
    }
  }
  for (let i = 0; i < out.length; i++) out[i] += 0.0005 * (random.next() - 0.5);
  return out;
}
