import { ContainerReader } from './container-reader.js';
import type { MediaFile } from './media-file.js';
import { Mp3Source } from './mp3-source.js';
import type { PacketSource } from './packet-source.js';

/**
 * Opens the first audio track of a recognised file. MPEG audio files have a reader of their own, which gets past damage
 * and knows the encoder's delay.
 *
 * @throws {MediaError}
 */
export function openPacketSource(file: MediaFile): Promise<PacketSource> {
  return file.container === 'mp3' ? Mp3Source.open(file) : ContainerReader.open(file);
}
