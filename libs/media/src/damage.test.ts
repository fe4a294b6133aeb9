import { seededRandom, type Random } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaDecoder } from './decoder.js';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { locateFfmpeg } from './ffmpeg-locate.js';
import { MediaError } from './media-error.js';
import { fixtureBytes, ScratchFolder, tone, wavBytes } from './testing/sound-files.js';
import { WasmDecoder } from './wasm-decoder.js';

const files = [
  'clicks.mp3',
  'clicks.flac',
  'clicks.ogg',
  'clicks.opus',
  'clicks.m4a',
  'clicks.mp4',
  'clicks.mov',
  'clicks.mkv',
  'clicks.webm',
  'clicks.mpegts',
  'clicks-mp2.mpegts',
  'clicks.aac',
  'clicks.wav',
];
const limitMs = 10_000;

/** Cuts the file, flips bytes all over it or in its first 512, or overwrites a run. */
function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const pick = (below: number) => Math.floor(random.next() * below);
  const damaged = bytes.slice();
  switch (pick(4)) {
    case 0:
      return damaged.subarray(0, pick(bytes.length));
    case 1:
      for (let flips = 1 + pick(20); flips > 0; flips--) damaged[pick(bytes.length)] ^= 1 + pick(255);
      return damaged;
    case 2:
      for (let flips = 1 + pick(4); flips > 0; flips--) damaged[pick(512)] ^= 1 + pick(255);
      return damaged;
    default: {
      const start = pick(bytes.length);
      return damaged.fill(pick(256), start, start + pick(2_000));
    }
  }
}

/** Decodes to the end; a typed error is an end too, anything else is thrown on. */
async function endOf(decoder: MediaDecoder, path: string): Promise<string> {
  const blocks = decoder.decode(path, { maxDurationMs: 60_000, stallTimeoutMs: limitMs });
  try {
    for (;;) {
      const next = await blocks.next();
      if (next.done) return next.value.partial ? 'partial' : 'whole';
      for (const samples of next.value.channels) expect(samples.every(Number.isFinite)).toBe(true);
    }
  } catch (error) {
    if (error instanceof MediaError) return error.code;
    throw error;
  }
}

function describeDamage(name: string, open: () => MediaDecoder, rounds: number): void {
  describe(`damaged files: ${name}`, () => {
    let scratch: ScratchFolder;
    beforeAll(async () => {
      scratch = await ScratchFolder.make();
    });
    afterAll(() => scratch.remove());

    it.each(files)(
      `ends ${rounds} damaged copies of %s in a result or a typed error, each within 10 s`,
      async (file) => {
        const whole =
          file === 'clicks.wav'
            ? wavBytes([tone(440, 0.5, 8_000, 1)], 8_000, 's16')
            : await fixtureBytes(file);
        const random = seededRandom(files.indexOf(file) + 1);
        const decoder = open();
        for (let round = 0; round < rounds; round++) {
          const path = await scratch.write(`${name}-${round}-${file}`, damage(whole, random));
          const started = performance.now();
          await expect(endOf(decoder, path), `round ${round}`).resolves.toMatch(
            /^(whole|partial|media\.[a-z-]+)$/,
          );
          expect(performance.now() - started, `round ${round}`).toBeLessThan(limitMs);
        }
      },
    );
  });
}

describeDamage('WASM', () => new WasmDecoder(), 100);

const programs = await locateFfmpeg(undefined, process.env.PATH ?? '');
if (programs) describeDamage('FFmpeg', () => new FfmpegDecoder(programs), 4);
else it.skip('damaged files with FFmpeg: no ffmpeg and ffprobe on the PATH of this machine', () => undefined);
