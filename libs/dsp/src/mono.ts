import { ShapeError } from '@earmark/kernel';

/**
 * Mixes channels down to their mean.
 *
 * @param channels one array a channel, all of one length; at least one channel
 * @param out receives the mix, at least as long as the channels; it may be one of them
 * @returns the part of `out` that was filled
 * @throws {ShapeError} if there is no channel, a length differs or `out` is too short
 */
export function toMono(channels: readonly Float32Array[], out: Float32Array): Float32Array {
  const first = channels[0];
  if (!first) throw new ShapeError('channels', 'at least one channel', 0);
  const length = first.length;
  for (const channel of channels) {
    if (channel.length !== length) throw new ShapeError('channels', `${length} samples each`, channel.length);
  }
  if (out.length < length) throw new ShapeError('out', `at least ${length} samples`, out.length);
  const mono = out.length === length ? out : out.subarray(0, length);
  const second = channels[1];
  if (!second) {
    if (mono.buffer !== first.buffer || mono.byteOffset !== first.byteOffset) mono.set(first);
    return mono;
  }
  if (channels.length === 2) {
    for (let n = 0; n < length; n++) mono[n] = 0.5 * (first[n] + second[n]);
    return mono;
  }
  const gain = 1 / channels.length;
  for (let n = 0; n < length; n++) {
    let sum = 0;
    for (const channel of channels) sum += channel[n];
    mono[n] = gain * sum;
  }
  return mono;
}
