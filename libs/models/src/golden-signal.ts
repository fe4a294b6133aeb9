/**
 * The signal of the golden vectors in training/golden, by the formula written there.
 *
 * @param samples how many, at 16 kHz
 */
export function goldenSignal(samples: number): Float32Array {
  const signal = new Float32Array(samples);
  let state = 12345;
  for (let n = 0; n < samples; n++) {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    const t = n / 16000;
    const sweep = 0.3 * Math.sin(2 * Math.PI * (110 * t + 300 * t * t));
    const tone = 0.2 * Math.sin(2 * Math.PI * 1234.5 * t) * (0.5 + 0.5 * Math.sin(2 * Math.PI * 3 * t));
    signal[n] = sweep + tone + 0.05 * (state / 2147483648 - 1);
  }
  return signal;
}
