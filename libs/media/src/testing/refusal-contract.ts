import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { truncate } from 'node:fs/promises';
import type { MediaDecoder } from '../decoder.js';
import { decodeAll } from './decoded-file.js';
import { fixture, fixtureBytes, ScratchFolder, tone, wavBytes } from './sound-files.js';

/** The behaviour that every {@link MediaDecoder} owes on bad, damaged and hostile files, and when told to stop. */
export function describeRefusals(name: string, open: () => Promise<MediaDecoder>): void {
  describe(`bad input: ${name}`, () => {
    let decoder: MediaDecoder;
    let scratch: ScratchFolder;
    let server: Server;
    let host: string;
    let requests = 0;
    beforeAll(async () => {
      decoder = await open();
      scratch = await ScratchFolder.make();
      server = createServer((_, response) => {
        requests++;
        response.end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(async () => {
      await new Promise((resolve) => server.close(resolve));
      await scratch.remove();
    });

    const refusal = (path: string, options = {}) =>
      decodeAll(decoder, path, options).then(
        () => 'decoded',
        (error: { code?: string }) => error.code ?? error,
      );

    it('names what is missing, empty, no media, or without sound', async () => {
      expect(await refusal(scratch.path('absent.mp3'))).toBe('media.not-found');
      expect(await refusal(scratch.path('.'))).toBe('media.not-found');
      expect(await refusal(await scratch.write('empty.mp3', ''))).toBe('media.empty');
      expect(await refusal(await scratch.write('text.mp3', 'Dear Sir or Madam,\n'.repeat(500)))).toBe(
        'media.not-media',
      );
      expect(await refusal(await scratch.write('zeros.wav', new Uint8Array(5_000)))).toBe('media.not-media');
      expect(await refusal(await scratch.write('byte.flac', Uint8Array.of(0xff)))).toBe('media.not-media');
      expect(await refusal(fixture('no-audio.mp4'))).toBe('media.no-audio');
      expect(await refusal(fixture('no-audio.webm'))).toBe('media.no-audio');
    });

    it('probes bad input with the same codes', async () => {
      await expect(decoder.probe(await scratch.write('e.mp3', ''))).rejects.toMatchObject({
        code: 'media.empty',
      });
      await expect(decoder.probe(fixture('no-audio.mp4'))).rejects.toMatchObject({ code: 'media.no-audio' });
    });

    it('calls a file without one sample zero-duration', async () => {
      const path = await scratch.write('none.wav', wavBytes([new Float32Array(0)], 44_100, 's16'));
      expect(await refusal(path)).toBe('media.zero-duration');
    });

    it('refuses playlists by content, and asks no host for anything', async () => {
      const lists = [
        `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://${host}/a.ts\n#EXT-X-ENDLIST\n`,
        `\ufeff#EXTM3U\nhttp://${host}/a.mp3\n`,
        `http://${host}/a.mp3\nhttp://${host}/b.mp3\n`,
        `[playlist]\nFile1=http://${host}/a.mp3\nNumberOfEntries=1\n`,
        `ffconcat version 1.0\nfile http://${host}/a.mp3\n`,
        `v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n`,
        `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://${host}/</BaseURL></MPD>`,
        `PERFORMER "x"\nFILE "http://${host}/a.wav" WAVE\n  TRACK 01 AUDIO\n`,
      ];
      for (const [index, list] of lists.entries()) {
        expect(await refusal(await scratch.write(`list${index}.mp3`, list))).toBe('media.playlist');
      }
      expect(requests).toBe(0);
    });

    it('refuses an MP4 whose data lie elsewhere, and does not follow it', async () => {
      const bytes = await fixtureBytes('clicks.m4a');
      const entry = Buffer.from(bytes.buffer).lastIndexOf('url ');
      bytes[entry + 7] = 0;
      expect(await refusal(await scratch.write('reference.m4a', bytes))).toBe('media.external-reference');
      expect(requests).toBe(0);
    });

    it('refuses audio past the limit, by what the file declares and by what comes out', async () => {
      expect(await refusal(fixture('clicks.flac'), { maxDurationMs: 500 })).toBe('media.too-long');
      expect(await refusal(fixture('clicks-no-delay.mp3'), { maxDurationMs: 500 })).toBe('media.too-long');
    });

    it('refuses a sample rate that no sound has', async () => {
      for (const rate of [10, 4_000_000]) {
        const path = await scratch.write(`${rate}.wav`, wavBytes([tone(1, 0.5, 1_000, 1)], rate, 's16'));
        expect(await refusal(path)).toBe('media.decode-failed');
      }
    });

    it('refuses 14 hours by default', async () => {
      const hours14 = 14 * 3_600 * 8_000;
      const header = wavBytes([new Float32Array(1)], 8_000, 'u8').slice(0, 44);
      const view = new DataView(header.buffer);
      view.setUint32(4, 36 + hours14, true);
      view.setUint32(40, hours14, true);
      const path = await scratch.write('long.wav', header);
      await truncate(path, 44 + hours14);
      expect(await refusal(path)).toBe('media.too-long');
    });

    it.each([
      ['clicks.flac', 0.6],
      ['clicks.mp3', 0.6],
      ['clicks.opus', 0.6],
      ['clicks.webm', 0.7],
      // Half of these two are Vorbis code books.
      ['clicks.ogg', 0.85],
      ['clicks.mkv', 0.85],
    ])('gives what is there of %s cut at %f of its bytes, and flags it', async (file, share) => {
      const bytes = await fixtureBytes(file);
      const path = await scratch.write(`cut-${file}`, bytes.subarray(0, Math.round(bytes.length * share)));
      const { summary } = await decodeAll(decoder, path);
      expect(summary.partial).toBe(true);
      expect(summary.warnings.length).toBeGreaterThan(0);
      expect(summary.decodedMs).toBeGreaterThan(400);
      expect(summary.decodedMs).toBeLessThan(1_000);
    });

    it('flags a WAV file that lacks half of its samples', async () => {
      const bytes = wavBytes([tone(440, 0.5, 8_000, 2)], 8_000, 's16');
      const { summary } = await decodeAll(
        decoder,
        await scratch.write('half.wav', bytes.subarray(0, 16_044)),
      );
      expect(summary).toMatchObject({ decodedMs: 1_000, partial: true });
    });

    it('calls an MP4 that ends before its index truncated', async () => {
      const bytes = await fixtureBytes('clicks.m4a');
      expect(await refusal(await scratch.write('cut.m4a', bytes.subarray(0, 4_000)))).toBe('media.truncated');
    });

    it.each(['clicks.mp3', 'clicks.flac', 'clicks.ogg', 'clicks.opus', 'clicks.mkv', 'clicks.webm'])(
      'gets past 300 zero bytes in the middle of %s',
      async (file) => {
        const bytes = await fixtureBytes(file);
        const middle = Math.round(bytes.length / 2);
        bytes.fill(0, middle, middle + 300);
        const { summary } = await decodeAll(decoder, await scratch.write(`hole-${file}`, bytes));
        expect(summary.decodedMs).toBeGreaterThan(500);
      },
    );

    it('stops when the signal says so, before and during a decode', async () => {
      expect(await refusal(fixture('clicks.mp3'), { signal: AbortSignal.abort() })).toBe('media.aborted');
      const path = await scratch.write('minutes.wav', wavBytes([tone(440, 0.1, 8_000, 120)], 8_000, 's16'));
      const abort = new AbortController();
      const blocks = decoder.decode(path, { signal: abort.signal });
      await blocks.next();
      abort.abort();
      const rest = async () => {
        while (!(await blocks.next()).done);
      };
      await expect(rest()).rejects.toMatchObject({ code: 'media.aborted' });
    });

    it('ends the decode when the reader leaves early', async () => {
      const path = await scratch.write('left.wav', wavBytes([tone(440, 0.1, 8_000, 120)], 8_000, 's16'));
      for await (const block of decoder.decode(path)) {
        expect(block.startFrame).toBe(0);
        break;
      }
    });
  });
}
