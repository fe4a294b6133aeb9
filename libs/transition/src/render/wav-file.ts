/**
 * Encodes channels as a WAV file with 16 bits a sample.
 *
 * @param channels equally long, -1..1; louder samples are cut
 */
export function encodeWav(channels: readonly Float32Array[], sampleRateHz: number): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  const frameBytes = 2 * channels.length;
  const bytes = new Uint8Array(44 + frames * frameBytes);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(value), at);
  text(0, 'RIFF');
  view.setUint32(4, 36 + frames * frameBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, frames * frameBytes, true);
  const samples = new Int16Array(bytes.buffer, 44);
  for (let c = 0; c < channels.length; c++) {
    for (let i = 0; i < frames; i++) {
      samples[i * channels.length + c] = Math.round(Math.max(-1, Math.min(1, channels[c][i])) * 32767);
    }
  }
  return bytes;
}
