const hopMs = 20;
/** Rise of the level against the mean of the last half second that counts as an onset. */
const riseDb = 4;
const memory = 0.96;
const deadHops = 5;
const floorDb = -70;

/**
 * Counts onsets in a stream: rises of the pre-emphasised level, at most ten a second. Readable, not exact: it tells busy
 * music from still music, it does not find beats.
 */
export class OnsetCounter {
  private readonly hopSamples: number;
  private energy = 0;
  private filled = 0;
  private previous = 0;
  private meanDb = floorDb;
  private rest = 0;
  private wasRising = false;

  constructor(sampleRateHz: number) {
    this.hopSamples = Math.round((sampleRateHz * hopMs) / 1000);
  }

  /** Takes the next samples (mono, -1..1) and gives the number of onsets that ended in them. */
  push(samples: Float32Array): number {
    let onsets = 0;
    for (let from = 0; from < samples.length;) {
      const to = Math.min(samples.length, from + this.hopSamples - this.filled);
      let { previous, energy } = this;
      for (let i = from; i < to; i++) {
        const edge = samples[i] - previous;
        previous = samples[i];
        energy += edge * edge;
      }
      this.previous = previous;
      this.energy = energy;
      this.filled += to - from;
      from = to;
      if (this.filled < this.hopSamples) continue;
      if (this.#endsOnset(10 * Math.log10(energy / this.hopSamples + 1e-12))) onsets++;
      this.energy = 0;
      this.filled = 0;
    }
    return onsets;
  }

  #endsOnset(levelDb: number): boolean {
    const level = Math.max(floorDb, levelDb);
    const rising = level > this.meanDb + riseDb;
    const begins = rising && !this.wasRising && this.rest === 0;
    this.wasRising = rising;
    this.rest = begins ? deadHops : Math.max(0, this.rest - 1);
    // A new level is believed after a moment; a fall at once, so that the next stroke is heard.
    this.meanDb =
      level < this.meanDb ? 0.7 * this.meanDb + 0.3 * level : memory * this.meanDb + (1 - memory) * level;
    return begins;
  }
}
