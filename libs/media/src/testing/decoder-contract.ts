import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaDecoder } from '../decoder.js';
import { decodeAll, loudestMs } from './decoded-file.js';
import { amplitudeAt, fixture, fixtureBytes, ScratchFolder, tone, wavBytes } from './sound-files.js';

type Clip = Readonly<{
  file: string;
  container: string;
  codec: RegExp;
  rate: number;
  video?: true;
  mono?: true;
  /** Encoder delay that the file does not state, in milliseconds. */
  lateMs?: number;
}>;

const clips: readonly Clip[] = [
  { file: 'clicks.mp3', container: 'mp3', codec: /^mp3$/, rate: 44_100 },
  { file: 'clicks-mono.mp3', container: 'mp3', codec: /^mp3$/, rate: 22_050, mono: true },
  { file: 'clicks-no-delay.mp3', container: 'mp3', codec: /^mp3$/, rate: 44_100, lateMs: 25.06 },
  { file: 'clicks.flac', container: 'flac', codec: /^flac$/, rate: 44_100 },
  { file: 'clicks.ogg', container: 'ogg', codec: /^vorbis$/, rate: 44_100 },
  { file: 'clicks.opus', container: 'ogg', codec: /^opus$/, rate: 48_000 },
  { file: 'clicks.mkv', container: 'mkv', codec: /^vorbis$/, rate: 48_000, video: true },
  { file: 'clicks-mp3.mkv', container: 'mkv', codec: /^mp3$/, rate: 44_100, lateMs: 25.06 },
  { file: 'clicks.webm', container: 'webm', codec: /^opus$/, rate: 48_000, video: true },
  {
    file: 'clicks-mp2.mpegts',
    container: 'mpegts',
    codec: /^mp[23]$/,
    rate: 48_000,
    video: true,
    lateMs: 10.02,
  },
];

const aacClips: readonly Clip[] = [
  { file: 'clicks.m4a', container: 'mp4', codec: /^aac$/, rate: 44_100 },
  { file: 'clicks-faststart.m4a', container: 'mp4', codec: /^aac$/, rate: 44_100 },
  { file: 'clicks.mp4', container: 'mp4', codec: /^aac$/, rate: 48_000, video: true },
  { file: 'clicks.mov', container: 'mov', codec: /^aac$/, rate: 48_000, video: true },
  { file: 'clicks.aac', container: 'adts', codec: /^aac$/, rate: 44_100, lateMs: 23.22 },
  { file: 'clicks.mpegts', container: 'mpegts', codec: /^aac$/, rate: 48_000, video: true, lateMs: 21.33 },
];

/** What a decoder does with AAC: some can only say that it needs FFmpeg. */
export type AacSupport = 'decodes' | 'needs-ffmpeg';

/** The behaviour that every {@link MediaDecoder} owes, on healthy files. */
export function describeDecoding(name: string, open: () => Promise<MediaDecoder>, aac: AacSupport): void {
  describe(`decoding: ${name}`, () => {
    let decoder: MediaDecoder;
    let scratch: ScratchFolder;
    beforeAll(async () => {
      decoder = await open();
      scratch = await ScratchFolder.make();
    });
    afterAll(() => scratch.remove());

    it.each([...clips, ...(aac === 'decodes' ? aacClips : [])])('tells what $file is', async (clip) => {
      const info = await decoder.probe(fixture(clip.file));
      expect(info).toMatchObject({
        container: clip.container,
        codec: expect.stringMatching(clip.codec) as string,
        sampleRateHz: clip.rate,
        channels: clip.mono ? 1 : 2,
        hasVideo: clip.video ?? false,
      });
      if (info.durationMs !== undefined) expect(Math.abs(info.durationMs - 1_200)).toBeLessThan(100);
    });

    it.each([...clips, ...(aac === 'decodes' ? aacClips : [])])(
      'finds both clicks of $file within 1 ms, in blocks of one second at most',
      async (clip) => {
        const { channels, sampleRateHz, blockFrames, summary } = await decodeAll(decoder, fixture(clip.file));
        const late = clip.lateMs ?? 0;
        expect(sampleRateHz).toBe(clip.rate);
        expect(channels).toHaveLength(clip.mono ? 1 : 2);
        const clicks = channels.map((samples) => [
          loudestMs(samples, sampleRateHz, 200, 500) - late,
          loudestMs(samples, sampleRateHz, 600, 900) - late,
        ]);
        expect(Math.abs(clicks[0][0] - 300)).toBeLessThan(1);
        for (const [, second] of clicks) expect(Math.abs(second - 700)).toBeLessThan(1);
        expect(Math.max(...blockFrames)).toBeLessThanOrEqual(sampleRateHz);
        expect(summary).toMatchObject({ partial: false, warnings: [] });
        expect(Math.abs(summary.decodedMs - 1_200)).toBeLessThan(50);
      },
    );

    if (aac === 'needs-ffmpeg') {
      it.each(aacClips)('says that $file needs FFmpeg', async ({ file }) => {
        await expect(decodeAll(decoder, fixture(file))).rejects.toMatchObject({
          code: 'media.codec-needs-ffmpeg',
        });
      });
    }

    it.each([
      ['u8', 8_000, 0.01],
      ['s16', 44_100, 1 / 30_000],
      ['s24', 192_000, 1e-6],
      ['s32', 48_000, 1e-6],
      ['f32', 96_000, 1e-7],
    ] as const)('gives the samples of a %s WAV file at %i Hz back', async (samples, rate, tolerance) => {
      const source = [tone(440, 0.5, rate, 1.5), tone(1_000, 0.25, rate, 1.5)];
      const path = await scratch.write(`${samples}.wav`, wavBytes(source, rate, samples));
      const decoded = await decodeAll(decoder, path);
      expect(decoded).toMatchObject({ sampleRateHz: rate, summary: { decodedMs: 1_500, partial: false } });
      decoded.channels.forEach((channel, index) => {
        expect(channel).toHaveLength(source[index].length);
        expect(largestDifference(channel, source[index])).toBeLessThan(tolerance);
      });
    });

    it('decodes 192 kHz 24-bit FLAC', async () => {
      const { channels, sampleRateHz } = await decodeAll(decoder, fixture('high-rate.flac'));
      expect(sampleRateHz).toBe(192_000);
      expect(amplitudeAt(channels[0], 440, sampleRateHz)).toBeCloseTo(0.05, 3);
    });

    it.each(['surround.flac', 'surround.ogg', 'surround.opus'])(
      'mixes %s to stereo: each side its own speakers and the centre, no low-frequency effects',
      async (file) => {
        const { channels, sampleRateHz } = await decodeAll(decoder, fixture(file));
        expect(channels).toHaveLength(2);
        const whole = channels.map((samples) => samples.subarray(sampleRateHz / 10, sampleRateHz * 1.1));
        const level = (side: number, hz: number) => amplitudeAt(whole[side], hz, sampleRateHz);
        const full = 0.5 / (1 + 2 * Math.SQRT1_2);
        for (const [side, own, rear] of [
          [0, 300, 700],
          [1, 400, 800],
        ]) {
          expect(level(side, own)).toBeCloseTo(full, 1);
          expect(level(side, 500)).toBeCloseTo(full * Math.SQRT1_2, 1);
          expect(level(side, rear)).toBeCloseTo(full * Math.SQRT1_2, 1);
          expect(level(1 - side, own)).toBeLessThan(0.03);
          expect(level(1 - side, rear)).toBeLessThan(0.03);
          expect(level(side, 60)).toBeLessThan(0.03);
        }
      },
    );

    it('replaces samples that are not numbers, and says so', async () => {
      const samples = tone(440, 0.5, 8_000, 0.5);
      samples[100] = NaN;
      samples[200] = Infinity;
      const path = await scratch.write('nan.wav', wavBytes([samples], 8_000, 'f32'));
      const { channels, summary } = await decodeAll(decoder, path);
      expect([channels[0][100], channels[0][200]]).toEqual([0, 0]);
      expect(summary.warnings).toContain('2 samples were not finite and became 0');
    });

    it('takes a file whose name looks like an option or a protocol', async () => {
      const bytes = await fixtureBytes('clicks.mp3');
      for (const name of ['-i', 'http:clip', 'concat:a|b', 'with space %03d.wav']) {
        const { summary } = await decodeAll(decoder, await scratch.write(name, bytes));
        expect(summary.decodedMs).toBe(1_200);
      }
    });

    it('sees past an ID3 tag larger than the sniffed bytes', async () => {
      const tag = Uint8Array.of(0x49, 0x44, 0x33, 4, 0, 0, 0, 6, 0, 0, ...new Uint8Array(6 << 14));
      const path = await scratch.write('tagged.mp3', Buffer.concat([tag, await fixtureBytes('clicks.mp3')]));
      expect((await decodeAll(decoder, path)).summary.decodedMs).toBe(1_200);
    });
  });
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
