import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecodeOptions, MediaDecoder } from './decoder.js';
import { hashFile } from './hash-file.js';
import { listen, type Consumer } from './listen.js';
import { amplitudeAt, fixture, ScratchFolder, tone, wavBytes } from './testing/sound-files.js';
import { WasmDecoder } from './wasm-decoder.js';

/** A consumer that keeps everything. */
function collector(wish: Pick<Consumer, 'channels' | 'sampleRateHz'>): {
  consumer: Consumer;
  channels: number[][];
} {
  const channels: number[][] = Array.from({ length: wish.channels }, () => []);
  const push = (block: readonly Float32Array[]) =>
    block.forEach((samples, i) => channels[i].push(...samples));
  return { consumer: { ...wish, push }, channels };
}

describe('listen', () => {
  const decoder = new WasmDecoder();
  let scratch: ScratchFolder;
  beforeAll(async () => {
    scratch = await ScratchFolder.make();
  });
  afterAll(() => scratch.remove());

  it('feeds one decode to consumers at several rates', async () => {
    const path = await scratch.write(
      'two.wav',
      wavBytes([tone(500, 0.4, 44_100, 2), tone(900, 0.4, 44_100, 2)], 44_100, 's16'),
    );
    let decodes = 0;
    const counting: MediaDecoder = {
      name: 'counting',
      probe: (file) => decoder.probe(file),
      decode: (file, options?: DecodeOptions) => {
        decodes++;
        return decoder.decode(file, options);
      },
    };
    const low = collector({ sampleRateHz: 11_025, channels: 1 });
    const middle = collector({ sampleRateHz: 16_000, channels: 2 });
    const own = collector({ channels: 2 });
    const summary = await listen(counting, path, [low.consumer, middle.consumer, own.consumer]);
    expect(summary).toMatchObject({ decodedMs: 2_000, partial: false, silent: false, sampleRateHz: 44_100 });
    expect(summary.peak).toBeCloseTo(0.4, 3);
    expect(decodes).toBe(1);
    expect(low.channels.map((c) => c.length)).toEqual([22_050]);
    expect(middle.channels.map((c) => c.length)).toEqual([32_000, 32_000]);
    expect(own.channels.map((c) => c.length)).toEqual([88_200, 88_200]);
    const mono = Float32Array.from(low.channels[0]);
    expect(amplitudeAt(mono, 500, 11_025)).toBeCloseTo(0.2, 2);
    expect(amplitudeAt(mono, 900, 11_025)).toBeCloseTo(0.2, 2);
    expect(amplitudeAt(Float32Array.from(middle.channels[0]), 900, 16_000)).toBeLessThan(0.001);
    expect(amplitudeAt(Float32Array.from(middle.channels[1]), 900, 16_000)).toBeCloseTo(0.4, 2);
  });

  it('gives a mono file to both channels of a stereo consumer', async () => {
    const path = await scratch.write('mono.wav', wavBytes([tone(440, 0.5, 8_000, 0.5)], 8_000, 's16'));
    const both = collector({ sampleRateHz: 8_000, channels: 2 });
    await listen(decoder, path, [both.consumer]);
    expect(both.channels[0]).toHaveLength(4_000);
    expect(both.channels[1]).toEqual(both.channels[0]);
  });

  it('waits for a consumer that answers later', async () => {
    const path = await scratch.write('slow.wav', wavBytes([tone(440, 0.5, 8_000, 3)], 8_000, 's16'));
    let busy = 0;
    let overlaps = 0;
    const push = async () => {
      overlaps += busy++ > 0 ? 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
      busy--;
    };
    await listen(decoder, path, [{ channels: 1, push }]);
    expect(overlaps).toBe(0);
  });

  it('calls a file below -80 dBFS silent', async () => {
    const quiet = await scratch.write('quiet.wav', wavBytes([tone(440, 0.5e-4, 8_000, 1)], 8_000, 's24'));
    const soft = await scratch.write('soft.wav', wavBytes([tone(440, 2e-4, 8_000, 1)], 8_000, 's24'));
    expect((await listen(decoder, quiet, [])).silent).toBe(true);
    expect((await listen(decoder, soft, [])).silent).toBe(false);
  });

  it('ends the decode when a consumer throws', async () => {
    const push = () => {
      throw new RangeError('enough');
    };
    await expect(listen(decoder, fixture('clicks.mp3'), [{ channels: 1, push }])).rejects.toThrow('enough');
  });
});

describe('hashFile', () => {
  it('gives the SHA-256 of the bytes', async () => {
    const path = fixture('clicks.flac');
    expect(await hashFile(path)).toBe(
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  });

  it('names a missing file', async () => {
    await expect(hashFile('/nowhere/at/all')).rejects.toMatchObject({ code: 'media.not-found' });
  });
});
