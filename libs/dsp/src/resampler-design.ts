import { kaiserBeta, kaiserWeight } from './window.js';

/**
 * One windowed-sinc polyphase stage: output sample n lies at input position n * step / phases.
 *
 * `coefficients` is row-major [rows, taps]. Row p weighs the taps for a fraction of p / tablePhases of an input sample;
 * tap k belongs to the input sample `taps / 2 - 1 - k` before the integer position. `taps` is a multiple of four.
 */
export type PolyphaseStage = Readonly<{
  /** Interpolation factor L. */
  phases: number;
  /** Decimation factor M. */
  step: number;
  taps: number;
  /** Rows of the table for one input sample; fewer than `phases` means that two rows are interpolated. */
  tablePhases: number;
  coefficients: Float32Array;
}>;

const STOP_BAND_DB = 86;
const PASS_BAND = 0.9;
const MAX_TABLE = 1 << 18;
const INTERPOLATED_PHASES = 1024;
/** A multiplication of a fractional ratio against one of an integer ratio, whose outputs share their coefficients (measured). */
const FRACTIONAL_COST = 1.5;
const KEPT_DESIGNS = 8;

const designs = new Map<string, readonly PolyphaseStage[]>();

/**
 * Splits a rate change into one or two stages of the least cost: pass-band up to 0.9 of the lower
 * Nyquist frequency, stop-band of 86 dB by design from that Nyquist frequency on, so that nothing aliases.
 * The last few designs are kept: for a clip of ten seconds a design costs a fifth of its decoding.
 */
export function designStages(fromHz: number, toHz: number): readonly PolyphaseStage[] {
  const key = `${fromHz}:${toHz}`;
  let stages = designs.get(key);
  if (stages === undefined) {
    stages = computeStages(fromHz, toHz);
    const [oldest] = designs.keys();
    if (designs.size >= KEPT_DESIGNS && oldest !== undefined) designs.delete(oldest);
    designs.set(key, stages);
  }
  return stages;
}

function computeStages(fromHz: number, toHz: number): readonly PolyphaseStage[] {
  const nyquist = Math.min(fromHz, toHz) / 2;
  let best = { decimation: 1, cost: Infinity };
  for (let decimation = 1; decimation === 1 || fromHz / decimation >= 1.2 * toHz; decimation++) {
    const middleHz = fromHz / decimation;
    const last = tapCount(middleHz, PASS_BAND * nyquist, nyquist);
    const first = decimation === 1 ? 0 : tapCount(fromHz, PASS_BAND * nyquist, middleHz - nyquist);
    const sharing = (fromHz / decimation) % toHz === 0 ? 1 : FRACTIONAL_COST;
    const cost = sharing * last * toHz + first * middleHz;
    if (cost < best.cost) best = { decimation, cost };
  }
  const { decimation } = best;
  const last = designStage(fromHz, toHz * decimation, fromHz / decimation, PASS_BAND * nyquist, nyquist);
  if (decimation === 1) return [last];
  return [designStage(decimation, 1, fromHz, PASS_BAND * nyquist, fromHz / decimation - nyquist), last];
}

function tapCount(rateHz: number, passHz: number, stopHz: number, attenuationDb = STOP_BAND_DB): number {
  const width = (2 * Math.PI * (stopHz - passHz)) / rateHz;
  return 4 * Math.ceil(((attenuationDb - 7.95) / (2.285 * width) + 1) / 4);
}

/**
 * Designs one stage for a change from `fromRatio` to `toRatio` (integers, reduced here).
 *
 * @param rateHz input rate that `passHz` and `stopHz` refer to
 * @param attenuationDb stop-band attenuation, which also bounds the ripple of the pass-band
 */
export function designStage(
  fromRatio: number,
  toRatio: number,
  rateHz: number,
  passHz: number,
  stopHz: number,
  attenuationDb = STOP_BAND_DB,
): PolyphaseStage {
  const divisor = greatestCommonDivisor(fromRatio, toRatio);
  const phases = toRatio / divisor;
  const taps = tapCount(rateHz, passHz, stopHz, attenuationDb);
  const exact = phases * taps <= MAX_TABLE;
  const tablePhases = exact ? phases : INTERPOLATED_PHASES;
  const rows = exact ? phases : INTERPOLATED_PHASES + 1;
  const cutOff = (passHz + stopHz) / rateHz;
  const beta = kaiserBeta(attenuationDb);
  const coefficients = new Float32Array(rows * taps);
  const row = new Float64Array(taps);
  for (let p = 0; p < rows; p++) {
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      const position = k - taps / 2 + 1 - p / tablePhases;
      row[k] = sinc(cutOff * position) * kaiserWeight((2 * position) / taps, beta);
      sum += row[k];
    }
    for (let k = 0; k < taps; k++) coefficients[p * taps + k] = row[k] / sum;
  }
  return { phases, step: fromRatio / divisor, taps, tablePhases, coefficients };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
