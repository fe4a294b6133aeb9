/** Drops encoder delay from the start of a stream and padding from its end. */
export class FrameTrimmer {
  private toSkip: number;
  private taken = 0;

  /** @param skipFrames PCM frames before the audio */
  constructor(skipFrames: number) {
    this.toSkip = skipFrames;
  }

  /**
   * What of the next piece is audio; arrays of length 0 where nothing is.
   *
   * @param totalFrames for the last piece: frames of audio in the whole stream
   */
  take(channels: readonly Float32Array[], totalFrames = Infinity): readonly Float32Array[] {
    const length = channels[0]?.length ?? 0;
    const start = Math.min(this.toSkip, length);
    const end = Math.max(start, Math.min(length, start + totalFrames - this.taken));
    this.toSkip -= start;
    this.taken += end - start;
    return start === 0 && end === length ? channels : channels.map((samples) => samples.subarray(start, end));
  }
}
