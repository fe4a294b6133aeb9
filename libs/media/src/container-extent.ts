import type { ContainerName } from './detect-media.js';
import type { MediaFile } from './media-file.js';
import { readAt } from './read-at.js';

/**
 * Tells whether the file ends before its container says it does: a download that stopped, a disk that filled up. Decoders
 * end such files without an error.
 *
 * Looks at the declared sizes of WAV, MP4, QuickTime, Matroska and WebM and at the last page of Ogg; other containers
 * declare no size.
 *
 * @returns what is missing, in words; undefined where nothing is known to be missing
 */
export async function missingTail(file: MediaFile): Promise<string | undefined> {
  const end = await extents[file.container]?.(file);
  if (end === undefined || end <= file.bytes) return undefined;
  return `the file ends at byte ${file.bytes}, the container at byte ${end}`;
}

const extents: Readonly<Partial<Record<ContainerName, (file: MediaFile) => Promise<number | undefined>>>> = {
  wav: wavEnd,
  mp4: isoEnd,
  mov: isoEnd,
  mkv: matroskaEnd,
  webm: matroskaEnd,
  ogg: oggEnd,
};

const unknownSize = 0xffff_ffff;

async function wavEnd(file: MediaFile): Promise<number | undefined> {
  const form = String.fromCharCode(...(await readAt(file.handle, file.offset, 4)));
  if (form !== 'RIFF') return undefined;
  let at = file.offset + 12;
  for (let chunks = 0; chunks < 64; chunks++) {
    const header = await readAt(file.handle, at, 8);
    if (header.length < 8) return undefined;
    const size = view(header).getUint32(4, true);
    const isData = String.fromCharCode(...header.subarray(0, 4)) === 'data';
    if (isData) return size === unknownSize ? undefined : at + 8 + size;
    at += 8 + size + (size & 1);
  }
  return undefined;
}

async function isoEnd(file: MediaFile): Promise<number | undefined> {
  let at = file.offset;
  for (let boxes = 0; boxes < 10_000 && at < file.bytes; boxes++) {
    const header = await readAt(file.handle, at, 16);
    if (header.length < 8) return at + 8;
    const short = view(header).getUint32(0);
    if (short === 0) return undefined;
    if (short === 1 && header.length < 16) return at + 16;
    const size = short === 1 ? Number(view(header).getBigUint64(8)) : short;
    if (size < 8) return undefined;
    at += size;
  }
  return at;
}

/** @see RFC 8794, section 4 (variable-size integers) */
async function matroskaEnd(file: MediaFile): Promise<number | undefined> {
  let at = file.offset;
  for (let elements = 0; elements < 16; elements++) {
    const head = await readAt(file.handle, at, 12);
    const idLength = Math.clz32(head[0]) - 23;
    const sizeLength = Math.clz32(head[idLength]) - 23;
    if (idLength > 4 || sizeLength > 8 || head.length < idLength + sizeLength) return undefined;
    let size = head[idLength] & (0xff >> sizeLength);
    let allOnes = size === 0xff >> sizeLength;
    for (const byte of head.subarray(idLength + 1, idLength + sizeLength)) {
      size = size * 256 + byte;
      allOnes &&= byte === 0xff;
    }
    if (allOnes) return undefined;
    const end = at + idLength + sizeLength + size;
    const isSegment = idLength === 4 && view(head).getUint32(0) === 0x18538067;
    if (isSegment) return end;
    at = end;
  }
  return undefined;
}

/** @see RFC 3533, section 6 */
async function oggEnd(file: MediaFile): Promise<number | undefined> {
  const tailBytes = 2 * 65_307;
  const start = Math.max(file.offset, file.bytes - tailBytes);
  const tail = await readAt(file.handle, start, file.bytes - start);
  const page = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength).lastIndexOf('OggS');
  if (page === -1) return undefined;
  const segments = tail[page + 26];
  const bodyStart = page + 27 + (segments ?? 0);
  if (segments === undefined || bodyStart > tail.length) return start + bodyStart;
  return start + bodyStart + tail.subarray(page + 27, bodyStart).reduce((sum, length) => sum + length, 0);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
