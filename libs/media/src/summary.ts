import type { DecodeSummary } from './decoder.js';
import type { BlockCounter } from './pcm-blocks.js';

/** Declared and decoded duration may differ by this much before a decode counts as partial: frame padding, rounding. */
const toleranceMs = 250;
const toleranceShare = 0.005;

/** Closes a decode: compares what came out with what the file declares. */
export function summarise(
  counter: BlockCounter,
  declaredMs: number | undefined,
  warnings: readonly string[],
): DecodeSummary {
  const { decodedMs, nonFinite } = counter;
  const missingMs = declaredMs === undefined ? 0 : declaredMs - decodedMs;
  const partial = missingMs > Math.max(toleranceMs, (declaredMs ?? 0) * toleranceShare);
  const own: string[] = [];
  if (partial) own.push(`decoded ${Math.round(decodedMs)} ms of ${Math.round(declaredMs ?? 0)} ms declared`);
  if (nonFinite > 0) own.push(`${nonFinite} samples were not finite and became 0`);
  return { decodedMs: Math.round(decodedMs), partial, warnings: [...own, ...warnings] };
}
