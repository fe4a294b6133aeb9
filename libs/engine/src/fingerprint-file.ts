import { DomainError } from '@earmark/kernel';
import { createHash } from 'node:crypto';

/** Fingerprint of one recording, as it travels without its audio. */
export type FingerprintRecord = Readonly<{
  /** Path as it was given where the audio lives. */
  path: string;
  durationMs: number;
  /** SHA-256 of the media file, 64 hexadecimal digits. */
  contentHash: string;
  fingerprintConfigId: string;
  /** Peaks in the fingerprint lib's own encoding. */
  peaks: Uint8Array;
}>;

/** A `.emfp` file that is damaged, cut off, or of another version; `byteOffset` is where reading stopped. */
export class FingerprintFileError extends DomainError {
  readonly code = 'fingerprint.bad-file';

  constructor(
    readonly byteOffset: number,
    message: string,
  ) {
    super(`${message} at byte ${byteOffset}`);
  }
}

const magic = Buffer.from('EMFP');
const version = 1;
const headerBytes = 8;
const digestBytes = 8;

/**
 * Encodes the head of a `.emfp` file: `EMFP`, version as 16-bit, two zero bytes; little-endian throughout. Records
 * follow it.
 */
export function encodeFingerprintHeader(): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  header.writeUInt16LE(version, 4);
  return header;
}

/**
 * Encodes one record: length of JSON (32-bit), length of peaks (32-bit), JSON `{path,durationMs,contentHash,
 * fingerprintConfigId}` in UTF-8, peaks, and the first 8 bytes of the SHA-256 of both.
 */
export function encodeFingerprintRecord(record: FingerprintRecord): Uint8Array {
  const { peaks, ...about } = record;
  const json = Buffer.from(JSON.stringify(about));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(json.length, 0);
  lengths.writeUInt32LE(peaks.length, 4);
  return Buffer.concat([lengths, json, peaks, digest(json, peaks)]);
}

/**
 * Reads a whole `.emfp` file, record by record.
 *
 * @throws {FingerprintFileError} if the magic, the version, a length or a digest is wrong
 */
export function* decodeFingerprintFile(bytes: Uint8Array): Generator<FingerprintRecord> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < headerBytes || !buffer.subarray(0, 4).equals(magic)) {
    throw new FingerprintFileError(0, 'not a fingerprint file');
  }
  if (buffer.readUInt16LE(4) !== version) {
    throw new FingerprintFileError(4, `fingerprint file of unknown version ${buffer.readUInt16LE(4)}`);
  }
  let offset = headerBytes;
  while (offset < buffer.length) {
    if (offset + 8 > buffer.length) throw new FingerprintFileError(offset, 'fingerprint file is cut off');
    const jsonEnd = offset + 8 + buffer.readUInt32LE(offset);
    const peaksEnd = jsonEnd + buffer.readUInt32LE(offset + 4);
    if (peaksEnd + digestBytes > buffer.length)
      throw new FingerprintFileError(offset, 'fingerprint file is cut off');
    const json = buffer.subarray(offset + 8, jsonEnd);
    const peaks = buffer.subarray(jsonEnd, peaksEnd);
    if (!digest(json, peaks).equals(buffer.subarray(peaksEnd, peaksEnd + digestBytes))) {
      throw new FingerprintFileError(offset, 'fingerprint record is damaged');
    }
    yield { ...parseAbout(json, offset), peaks: new Uint8Array(peaks) };
    offset = peaksEnd + digestBytes;
  }
}

function parseAbout(json: Buffer, offset: number): Omit<FingerprintRecord, 'peaks'> {
  const about: unknown = JSON.parse(json.toString('utf8'));
  if (
    typeof about === 'object' &&
    about !== null &&
    'path' in about &&
    'durationMs' in about &&
    'contentHash' in about &&
    'fingerprintConfigId' in about &&
    typeof about.path === 'string' &&
    typeof about.durationMs === 'number' &&
    typeof about.contentHash === 'string' &&
    typeof about.fingerprintConfigId === 'string'
  ) {
    const { path, durationMs, contentHash, fingerprintConfigId } = about;
    return { path, durationMs, contentHash, fingerprintConfigId };
  }
  throw new FingerprintFileError(offset, 'fingerprint record lacks a field');
}

function digest(json: Uint8Array, peaks: Uint8Array): Buffer {
  return createHash('sha256').update(json).update(peaks).digest().subarray(0, digestBytes);
}
