import { toMono } from '@earmark/dsp';

/** Side over mid, in energy, from which the side is taken, and below which the mean of the channels is taken again. */
const cancelled = { enter: 4, leave: 1 } as const;
/** Time over which energies are averaged, seconds. */
const averageSeconds = 0.5;

/**
 * Mixes channels down to their mean, but two that cancel each other, as when one was inverted so that nothing should
 * be recognised in mono, to half their difference.
 */
export class CancellationSafeMono {
  private mid = 0;
  private side = 0;
  private inverted = false;
  private out = new Float32Array(0);

  constructor(private readonly sampleRateHz: number) {}

  /**
   * @param channels one array a channel, all of one length, at least one
   * @returns the mix; valid until the next call
   */
  mix(channels: readonly Float32Array[]): Float32Array {
    const [left, right] = channels;
    if (channels.length === 1) return left;
    if (this.out.length < left.length) this.out = new Float32Array(left.length);
    if (channels.length === 2) this.measure(left, right);
    if (!this.inverted || channels.length !== 2) return toMono(channels, this.out);
    for (let n = 0; n < left.length; n++) this.out[n] = 0.5 * (left[n] - right[n]);
    return this.out.subarray(0, left.length);
  }

  private measure(left: Float32Array, right: Float32Array): void {
    let mid = 0;
    let side = 0;
    for (let n = 0; n < left.length; n++) {
      mid += (left[n] + right[n]) ** 2;
      side += (left[n] - right[n]) ** 2;
    }
    const seconds = left.length / this.sampleRateHz;
    const keep = this.mid + this.side === 0 ? 0 : Math.exp(-seconds / averageSeconds);
    this.mid = keep * this.mid + mid;
    this.side = keep * this.side + side;
    if (this.side > cancelled.enter * this.mid) this.inverted = true;
    else if (this.side < cancelled.leave * this.mid) this.inverted = false;
  }
}
