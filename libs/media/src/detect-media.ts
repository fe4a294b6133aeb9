import { findMpegAudio } from './mpeg-audio-header.js';

/** Containers that Earmark knows by their first bytes. */
export type ContainerName =
  | 'wav'
  | 'mp3'
  | 'flac'
  | 'ogg'
  | 'mp4'
  | 'mov'
  | 'mkv'
  | 'webm'
  | 'mpegts'
  | 'adts'
  | 'aiff'
  | 'caf'
  | 'asf'
  | 'avi'
  | 'flv'
  | 'mpegps'
  | 'ac3'
  | 'amr'
  | 'w64';

/** What the first bytes of a file are. */
export type Detection =
  | Readonly<{ kind: 'media'; container: ContainerName; offset: number }>
  | Readonly<{ kind: 'playlist'; playlist: string }>
  | Readonly<{ kind: 'id3'; bodyOffset: number }>
  | Readonly<{ kind: 'other'; found: string; offset: number }>;

/** Bytes that {@link detectMedia} wants to see, from the start of the file (fewer if the file is shorter). */
export const detectionBytes = 65_536;

/**
 * Tells a container by its content, never by its name. Playlists and other text that names media are told apart, so that
 * they never reach a demuxer.
 *
 * An ID3v2 tag gives `id3` with the offset of what follows it when that lies outside `bytes`; sniff again there.
 *
 * @param bytes the start of the file, {@link detectionBytes} or the whole file
 */
export function detectMedia(bytes: Uint8Array): Detection {
  const id3 = id3v2Length(bytes, 0);
  if (id3 > 0) {
    if (id3 >= bytes.length) return { kind: 'id3', bodyOffset: id3 };
    const inner = detectMedia(bytes.subarray(id3));
    if (inner.kind === 'media') return { ...inner, offset: inner.offset + id3 };
    if (inner.kind === 'id3') return { kind: 'id3', bodyOffset: inner.bodyOffset + id3 };
    if (inner.kind === 'other') return { ...inner, offset: inner.offset + id3 };
    return inner;
  }
  const container = bySignature(bytes);
  if (container) return { kind: 'media', container, offset: 0 };
  const playlist = detectPlaylist(bytes);
  if (playlist) return { kind: 'playlist', playlist };
  if (isTransportStream(bytes)) return { kind: 'media', container: 'mpegts', offset: 0 };
  const mpeg = findMpegAudio(bytes);
  if (mpeg) return { kind: 'media', container: mpeg.kind, offset: mpeg.offset };
  return describeOther(bytes);
}

/** Length of an ID3v2 tag with header and footer at `offset`, 0 if there is none. @see https://id3.org/id3v2.4.0-structure */
export function id3v2Length(bytes: Uint8Array, offset: number): number {
  if (ascii(bytes, offset, 3) !== 'ID3' || bytes.length < offset + 10) return 0;
  const [a, b, c, d] = bytes.subarray(offset + 6, offset + 10);
  if ((a | b | c | d) & 0x80) return 0;
  const footer = bytes[offset + 5] & 0x10 ? 10 : 0;
  return 10 + ((a << 21) | (b << 14) | (c << 7) | d) + footer;
}

function bySignature(bytes: Uint8Array): ContainerName | undefined {
  const four = ascii(bytes, 0, 4);
  switch (four) {
    case 'RIFF':
    case 'RF64':
    case 'RIFX': {
      const form = ascii(bytes, 8, 4);
      if (form === 'WAVE') return 'wav';
      return form === 'AVI ' ? 'avi' : undefined;
    }
    case 'fLaC':
      return 'flac';
    case 'OggS':
      return 'ogg';
    case 'FORM':
      return /^AIF[FC]$/.test(ascii(bytes, 8, 4)) ? 'aiff' : undefined;
    case 'caff':
      return 'caf';
    case 'FLV\x01':
      return 'flv';
    case 'riff':
      return 'w64';
    case '\x1a\x45\xdf\xa3':
      return ascii(bytes, 0, 80).includes('webm') ? 'webm' : 'mkv';
    case '\x00\x00\x01\xba':
      return 'mpegps';
    case '\x30\x26\xb2\x75':
      return 'asf';
    case '#!AM':
      return 'amr';
  }
  if (bytes[0] === 0x0b && bytes[1] === 0x77) return 'ac3';
  return isoBrand(bytes);
}

const isoBoxes = new Set(['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'pnot', 'styp', 'moof', 'sidx']);

function isoBrand(bytes: Uint8Array): ContainerName | undefined {
  const type = ascii(bytes, 4, 4);
  if (!isoBoxes.has(type)) return undefined;
  if (type !== 'ftyp') return 'mov';
  return ascii(bytes, 8, 4) === 'qt  ' ? 'mov' : 'mp4';
}

function isTransportStream(bytes: Uint8Array): boolean {
  for (const [stride, start] of [
    [188, 0],
    [192, 4],
    [204, 0],
  ]) {
    let packets = 0;
    while (packets < 8 && bytes[start + packets * stride] === 0x47) packets++;
    if (packets === 8 || (packets >= 2 && start + packets * stride >= bytes.length)) return true;
  }
  return false;
}

const playlistStarts: readonly (readonly [RegExp, string])[] = [
  [/^#EXTM3U/i, 'M3U'],
  [/^\[playlist\]/i, 'PLS'],
  [/^\[reference\]/i, 'ASX'],
  [/^ffconcat version/i, 'ffconcat'],
  [/^v=0\r?\n(.*\r?\n)*?o=/i, 'SDP'],
  [
    /^<\?xml[^>]*>[\s\S]*?<(MPD|SmoothStreamingMedia|playlist|smil|asx|wpl|AssetMap|CompositionPlaylist)\b/i,
    'XML',
  ],
  [/^<(MPD|SmoothStreamingMedia|asx|smil)\b/i, 'XML'],
  [/^(REM |PERFORMER |TITLE |CATALOG |FILE )[\s\S]*?(^|\n)\s*FILE\s+"?.+"?\s+\w+\s*\r?\n\s*TRACK\s/i, 'CUE'],
  [/^FILE\s+"?.+"?\s+(WAVE|MP3|AIFF|BINARY|MOTOROLA)/i, 'CUE'],
  [/^file\s+['"]?\S+/, 'ffconcat'],
  [/^RTSPtext/i, 'QuickTime'],
  [/^SMILtext/i, 'QuickTime'],
];

const reference =
  /^([a-z][a-z0-9+.-]*:\/\/\S+|.+\.(mp3|m4a|aac|flac|ogg|opus|wav|mp4|mkv|webm|mov|ts|m3u8?))$/i;

function detectPlaylist(bytes: Uint8Array): string | undefined {
  const text = decodeText(bytes.subarray(0, 8_192));
  if (text === undefined) return undefined;
  const body = text.replace(/^\ufeff/, '').trimStart();
  for (const [pattern, name] of playlistStarts) if (pattern.test(body)) return name;
  if (/^#EXT-X-/m.test(body)) return 'M3U';
  const lines = body.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const complete = bytes.length > 8_192 ? lines.slice(0, -1) : lines;
  return complete.length > 0 && complete.every((line) => reference.test(line.trim())) ? 'M3U' : undefined;
}

function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return firstBinaryByte(bytes) === -1 ? new TextDecoder().decode(bytes) : undefined;
}

/** Index of the first control character that no text file holds, or -1. */
function firstBinaryByte(bytes: Uint8Array): number {
  return bytes.findIndex((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127);
}

function describeOther(bytes: Uint8Array): Detection {
  const named: readonly (readonly [string, string])[] = [
    ['%PDF', 'PDF'],
    ['PK\x03\x04', 'ZIP archive'],
    ['\x89PNG', 'PNG image'],
    ['\xff\xd8\xff', 'JPEG image'],
    ['GIF8', 'GIF image'],
    ['\x1f\x8b', 'gzip archive'],
    ['\x7fELF', 'program'],
    ['MThd', 'MIDI score'],
  ];
  const signature = named.find(([start]) => ascii(bytes, 0, start.length) === start);
  if (signature) return { kind: 'other', found: signature[1], offset: 0 };
  const binary = firstBinaryByte(bytes);
  if (binary === -1) return { kind: 'other', found: 'text', offset: 0 };
  return { kind: 'other', found: 'unknown bytes', offset: binary };
}

function ascii(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
