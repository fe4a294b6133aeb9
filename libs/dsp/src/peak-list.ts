/**
 * Spectral peaks as parallel arrays that grow, ordered by frame, then bin. Only the first `length` values count; arrays
 * are replaced when they grow, so read them through the list.
 */
export class PeakList {
  length = 0;
  /** Time in frames with a fraction, since the start of the stream; frame f covers samples f * hop .. + fftSize. */
  frame = new Float64Array(256);
  /** Frequency in bins with a fraction; bin b is b * sampleRateHz / fftSize. */
  bin = new Float32Array(256);
  /** Level of the loudest cell in dB; 0 is a full-scale sine in the middle of a bin. */
  levelDb = new Float32Array(256);

  /** Appends one peak. */
  push(frame: number, bin: number, levelDb: number): void {
    if (this.length === this.frame.length) this.grow();
    this.frame[this.length] = frame;
    this.bin[this.length] = bin;
    this.levelDb[this.length] = levelDb;
    this.length++;
  }

  /** Forgets all peaks and keeps the arrays. */
  clear(): void {
    this.length = 0;
  }

  private grow(): void {
    const { frame, bin, levelDb } = this;
    this.frame = new Float64Array(2 * frame.length);
    this.frame.set(frame);
    this.bin = new Float32Array(2 * bin.length);
    this.bin.set(bin);
    this.levelDb = new Float32Array(2 * levelDb.length);
    this.levelDb.set(levelDb);
  }
}
