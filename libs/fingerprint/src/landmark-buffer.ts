import type { Landmarks, QueryLandmarks } from './landmarks.js';

/** Landmarks whose number is not known yet. */
export class LandmarkBuffer {
  private hashes: Uint32Array;
  private frames: Uint32Array;
  private details: Uint8Array;
  private pitches: Float32Array;
  private spans: Float32Array;
  length = 0;

  constructor(capacity: number) {
    this.hashes = new Uint32Array(capacity);
    this.frames = new Uint32Array(capacity);
    this.details = new Uint8Array(capacity);
    this.pitches = new Float32Array(capacity);
    this.spans = new Float32Array(capacity);
  }

  push(hash: number, frame: number, detail: number, pitch: number, span: number): void {
    if (this.length === this.hashes.length) this.grow();
    const at = this.length++;
    this.hashes[at] = hash;
    this.frames[at] = frame;
    this.details[at] = detail;
    this.pitches[at] = pitch;
    this.spans[at] = span;
  }

  toLandmarks(): Landmarks {
    const { length } = this;
    return {
      hashes: this.hashes.slice(0, length),
      frames: this.frames.slice(0, length),
      details: this.details.slice(0, length),
    };
  }

  toQueryLandmarks(): QueryLandmarks {
    return {
      ...this.toLandmarks(),
      pitches: this.pitches.slice(0, this.length),
      spans: this.spans.slice(0, this.length),
    };
  }

  private grow(): void {
    const size = Math.max(1024, this.hashes.length * 2);
    const hashes = new Uint32Array(size);
    hashes.set(this.hashes);
    this.hashes = hashes;
    const frames = new Uint32Array(size);
    frames.set(this.frames);
    this.frames = frames;
    const details = new Uint8Array(size);
    details.set(this.details);
    this.details = details;
    const pitches = new Float32Array(size);
    pitches.set(this.pitches);
    this.pitches = pitches;
    const spans = new Float32Array(size);
    spans.set(this.spans);
    this.spans = spans;
  }
}
