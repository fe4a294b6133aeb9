import type { DecodeSummary } from './decoder.js';
import type { BlockCounter } from './pcm-blocks.js';

/** Declared and decoded duration may differ by this much before a decode counts as partial: frame padding, rounding. */
const toleranceMs = 250;
const toleranceShare = 0.005;

/** What is known about a file beside its samples. */
export type Evidence = Readonly<{
  declaredMs: number | undefined;
  /** What is missing at the end of the file, in words. */
  cut: string | undefined;
  /** What the decoder said. */
  warnings: readonly string[];
}>;

/** Closes a decode: compares what came out with what the file declares. */
export function summarise(counter: BlockCounter, { declaredMs, cut, warnings }: Evidence): DecodeSummary {
  const { decodedMs, nonFinite } = counter;
  const missingMs = declaredMs === undefined ? 0 : declaredMs - decodedMs;
  const short = missingMs > Math.max(toleranceMs, (declaredMs ?? 0) * toleranceShare);
  const own: string[] = [];
  if (cut !== undefined) own.push(cut);
  if (short) own.push(`decoded ${Math.round(decodedMs)} ms of ${Math.round(declaredMs ?? 0)} ms declared`);
  if (nonFinite > 0) own.push(`${nonFinite} samples were not finite and became 0`);
  return {
    decodedMs: Math.round(decodedMs),
    partial: short || cut !== undefined,
    warnings: [...new Set([...own, ...warnings])],
  };
}
