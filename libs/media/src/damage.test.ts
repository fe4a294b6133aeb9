import { seededRandom, type Random } from '@earmark/kernel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaDecoder } from './decoder.js';
import { FfmpegDecoder } from './ffmpeg-decoder.js';
import { locateFfmpeg } from './ffmpeg-locate.js';
import { MediaError } from './media-error.js';
import { fixture, fixtureBytes, ScratchFolder, tone, wavBytes } from './testing/sound-files.js';
import { WasmDecoder } from './wasm-decoder.js';

/** Share of the rounds for each file: 1 a format. */
const files: readonly (readonly [string, number])[] = [
  ['clicks.wav', 1],
  ['clicks.mp3', 1],
  ['clicks.flac', 1],
  ['clicks.ogg', 1],
  ['clicks.opus', 1],
  ['clicks.aac', 1],
  ['clicks.m4a', 0.34],
  ['clicks.mp4', 0.33],
  ['clicks.mov', 0.33],
  ['clicks.mkv', 0.5],
  ['clicks.webm', 0.5],
  ['clicks.mpegts', 0.5],
  ['clicks-mp2.mpegts', 0.5],
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

    const cases = files.map(([file, share]) => [file, Math.ceil(rounds * share)] as const);
    it.each(cases)(
      'ends damaged %s (%i copies) in a result or a typed error, each within 10 s',
      async (file, copies) => {
        const whole =
          file === 'clicks.wav'
            ? wavBytes([tone(440, 0.5, 8_000, 1)], 8_000, 's16')
            : await fixtureBytes(file);
        const random = seededRandom(file.length);
        const decoder = open();
        for (let round = 0; round < copies; round++) {
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

describe('files that keep a demuxer busy', () => {
  it('ends where nothing follows a broken Matroska cluster', async () => {
    expect(await endOf(new WasmDecoder(), fixture('broken-cluster.webm'))).toBe('partial');
  });

  it('refuses an MP4 whose chunk claims millions of samples', async () => {
    const scratch = await ScratchFolder.make();
    const bytes = await fixtureBytes('clicks.m4a');
    bytes[Buffer.from(bytes.buffer).indexOf('stsc') + 16] = 6;
    expect(await endOf(new WasmDecoder(), await scratch.write('chunk.m4a', bytes))).toBe(
      'media.decode-failed',
    );
    await scratch.remove();
  });
});

describeDamage('WASM', () => new WasmDecoder(), 100);

const programs = await locateFfmpeg();
if (programs) describeDamage('FFmpeg', () => new FfmpegDecoder(programs), 4);
else it.skip('damaged files with FFmpeg: no ffmpeg and ffprobe on the PATH of this machine', () => undefined);
