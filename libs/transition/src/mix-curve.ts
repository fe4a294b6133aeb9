/**
 * A point of a track's curve over the overlap: playing time since its start in ms, fader 0..1 (linear), and what is added to
 * each of three bands in dB (low below 250 Hz, high above 2,500 Hz). Between points everything is linear.
 */
export type CurvePoint = Readonly<{
  atMs: number;
  fader: number;
  lowDb: number;
  midDb: number;
  highDb: number;
}>;

/** Curves of both tracks over the overlap; empty where nothing overlaps. */
export type MixCurves = Readonly<{ from: readonly CurvePoint[]; to: readonly CurvePoint[] }>;

/** Borders of the three bands, Hz. */
export const bandBordersHz = { low: 250, high: 2_500 } as const;
/** What a band that is taken out is set to, dB. */
export const bandOffDb = -40;

const steps = 16;

/** Curves of a fade: equal power, no change of tone. */
export function fadeCurves(overlapMs: number): MixCurves {
  if (overlapMs <= 0) return { from: [], to: [] };
  const point = (share: number, fader: number): CurvePoint => ({
    atMs: Math.round(share * overlapMs),
    fader: round(fader),
    lowDb: 0,
    midDb: 0,
    highDb: 0,
  });
  const shares = Array.from({ length: steps + 1 }, (_, i) => i / steps);
  return {
    from: shares.map((share) => point(share, Math.cos((share * Math.PI) / 2))),
    to: shares.map((share) => point(share, Math.sin((share * Math.PI) / 2))),
  };
}

/**
 * Curves of a mix on the beat: the second track comes in without its bass and a little duller, the basses change places
 * within one beat, then the first track fades away without its bass.
 *
 * @param swapMs when the basses change places, ms of playing time; ends of the change lie half a beat before and after
 */
export function beatmixCurves(overlapMs: number, swapMs: number, beatMs: number): MixCurves {
  const half = Math.min(beatMs / 2, swapMs, overlapMs - swapMs);
  const times = [
    ...Array.from({ length: steps + 1 }, (_, i) => (i / steps) * overlapMs),
    swapMs - half,
    swapMs + half,
  ];
  const all = [...new Set(times.map(Math.round))].sort((a, b) => a - b);
  const swapped = (atMs: number): number =>
    half <= 0 ? (atMs < swapMs ? 0 : 1) : Math.max(0, Math.min(1, (atMs - swapMs + half) / (2 * half)));
  const curve = (side: 'from' | 'to'): CurvePoint[] =>
    all.map((atMs) => {
      const share = overlapMs > 0 ? atMs / overlapMs : 1;
      const out = swapped(atMs);
      const present = side === 'from' ? 1 - out : out;
      const progress = side === 'from' ? 1 - share : share;
      return {
        atMs,
        // Full for its own half, equal power in the other one.
        fader: round(Math.sin((Math.min(1, 2 * progress) * Math.PI) / 2)),
        lowDb: round(bandOffDb * (1 - present)),
        midDb: round(-4 * (1 - Math.min(1, 2 * progress))),
        highDb: round(-6 * (1 - Math.min(1, 2 * progress))),
      };
    });
  return { from: curve('from'), to: curve('to') };
}

function round(value: number): number {
  // Adding 0 makes 0 of -0.
  return Math.round(value * 1000) / 1000 + 0;
}
