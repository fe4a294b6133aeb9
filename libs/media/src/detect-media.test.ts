import { seededRandom } from '@earmark/kernel';
import { describe, expect, it } from 'vitest';
import { detectMedia } from './detect-media.js';
import { fixtureBytes, tone, wavBytes } from './testing/sound-files.js';

const text = (content: string) => new TextEncoder().encode(content);

describe('detectMedia', () => {
  it.each([
    ['clicks.mp3', 'mp3'],
    ['clicks-no-delay.mp3', 'mp3'],
    ['clicks.flac', 'flac'],
    ['clicks.ogg', 'ogg'],
    ['clicks.opus', 'ogg'],
    ['clicks.m4a', 'mp4'],
    ['clicks.mov', 'mov'],
    ['clicks.mkv', 'mkv'],
    ['clicks.webm', 'webm'],
    ['clicks.mpegts', 'mpegts'],
    ['clicks.aac', 'adts'],
  ])('knows %s by its content as %s', async (file, container) => {
    expect(detectMedia(await fixtureBytes(file))).toMatchObject({ kind: 'media', container });
  });

  it('knows WAV', () => {
    expect(detectMedia(wavBytes([tone(440, 1, 8_000, 0.1)], 8_000, 's16'))).toMatchObject({
      container: 'wav',
    });
  });

  it('finds the first frame behind garbage and behind an ID3 tag', async () => {
    const mp3 = await fixtureBytes('clicks-no-delay.mp3');
    const bare = detectMedia(Buffer.concat([new Uint8Array(500), mp3]));
    expect(bare).toMatchObject({ kind: 'media', container: 'mp3', offset: 500 + frameStart(mp3) });
    const tag = Uint8Array.of(0x49, 0x44, 0x33, 3, 0, 0, 0, 0, 1, 0, ...new Uint8Array(128));
    expect(detectMedia(Buffer.concat([tag, mp3.subarray(frameStart(mp3))]))).toMatchObject({ offset: 138 });
    expect(detectMedia(tag.subarray(0, 50))).toEqual({ kind: 'id3', bodyOffset: 138 });
  });

  it.each([
    ['M3U', '#EXTM3U\nsong.mp3\n'],
    ['M3U', '\ufeff\n#EXTM3U\nsong.mp3\n'],
    ['M3U', 'music/song one.mp3\nmusic/song two.mp3\n'],
    ['M3U', 'rtsp://host/stream\n'],
    ['PLS', '[playlist]\nFile1=x.mp3\n'],
    ['ffconcat', 'ffconcat version 1.0\nfile x.wav\n'],
    ['SDP', 'v=0\no=- 0 0 IN IP4 10.0.0.1\n'],
    ['CUE', 'REM GENRE x\nFILE "a.wav" WAVE\n  TRACK 01 AUDIO\n'],
    ['XML', '<?xml version="1.0"?>\n<!-- x -->\n<MPD profiles="x"/>'],
    ['XML', '<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"/>'],
  ])('calls %s a playlist', (playlist, content) => {
    expect(detectMedia(text(content))).toEqual({ kind: 'playlist', playlist });
  });

  it('sees a playlist in UTF-16', () => {
    const utf16 = Buffer.concat([Uint8Array.of(0xff, 0xfe), Buffer.from('#EXTM3U\nx.mp3\n', 'utf16le')]);
    expect(detectMedia(utf16)).toMatchObject({ kind: 'playlist' });
  });

  it.each([
    ['text', text('A letter about http://example.org/song.mp3 and more.\nYours\n')],
    ['PDF', text('%PDF-1.7 ...')],
    ['PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a)],
    ['ZIP archive', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0)],
  ])('tells %s from media', (found, bytes) => {
    expect(detectMedia(bytes)).toMatchObject({ kind: 'other', found });
  });

  it('takes random bytes for nothing, and never throws on any of their prefixes', () => {
    const random = seededRandom(5);
    const bytes = Uint8Array.from({ length: 65_536 }, () => Math.floor(random.next() * 256));
    expect(detectMedia(bytes)).toMatchObject({ kind: 'other' });
    for (let length = 0; length < 300; length++)
      expect(detectMedia(bytes.subarray(0, length)).kind).toBe('other');
  });
});

/** Index of the first MPEG frame header. */
function frameStart(bytes: Uint8Array): number {
  return bytes.findIndex((byte, i) => byte === 0xff && (bytes[i + 1] & 0xe0) === 0xe0);
}
