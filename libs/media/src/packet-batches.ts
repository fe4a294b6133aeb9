import { asMediaError } from './container-reader.js';
import { DecodeFailedError } from './media-error.js';
import type { Packet, PacketSource } from './packet-source.js';

const batchSeconds = 0.5;
const batchPackets = 256;

/** Consecutive packets of about half a second. */
export type PacketBatch = Readonly<{ packets: readonly Packet[]; last: boolean }>;

/**
 * Groups the packets of a source. A demuxer that gives up after the first packet ends the stream; what it said goes to
 * `warnings`.
 *
 * @throws {MediaError} if not even one packet came
 */
export async function* batches(
  source: PacketSource,
  warnings: string[],
): AsyncGenerator<PacketBatch, void, void> {
  let packets: Packet[] = [];
  let seconds = 0;
  let any = false;
  try {
    for await (const packet of source.packets()) {
      any = true;
      if (seconds >= batchSeconds || packets.length >= batchPackets) {
        yield { packets, last: false };
        packets = [];
        seconds = 0;
      }
      packets.push(packet);
      seconds += packet.duration;
    }
  } catch (error) {
    const wrapped = asMediaError(error);
    if (!any) throw wrapped;
    warnings.push(wrapped instanceof DecodeFailedError ? `demuxer: ${wrapped.detail}` : wrapped.message);
  }
  if (packets.length > 0) yield { packets, last: true };
}
