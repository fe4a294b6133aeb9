import { ContainerReader } from './container-reader.js';
import { FlacSource } from './flac-source.js';
import { checkSampleTables } from './iso-sample-tables.js';
import type { MediaFile } from './media-file.js';
import { Mp3Source } from './mp3-source.js';
import type { PacketSource } from './packet-source.js';

/**
 * Opens the first audio track of a recognised file. MPEG audio and FLAC files have readers of their own, which
 * get past damage and know the encoder's delay.
 *
 * @throws {MediaError}
 */
export async function openPacketSource(file: MediaFile): Promise<PacketSource> {
  if (file.container === 'mp3') return Mp3Source.open(file);
  if (file.container === 'mp4' || file.container === 'mov') await checkSampleTables(file);
  return file.container === 'flac' ? FlacSource.open(file) : ContainerReader.open(file);
}
