import { z } from 'zod';

/** Published limits of requests about transitions. */
export const transitionLimits = {
  answers: 100,
  candidates: 1_000,
  history: 200,
  pairs: 100,
  sequence: 100,
  curvePoints: 50,
  events: 100,
  sessionLength: 100,
} as const;

const ms = z.number().int().min(0);
const id = z.string().max(40);

/** Where to go on from. */
const fromTrack = z
  .union([id, z.strictObject({ trackId: id, atMs: ms.optional() })])
  .transform((from) => (typeof from === 'string' ? { trackId: from } : from))
  .meta({ description: 'Track id, or `{trackId, atMs}` with the place where the transition shall begin' });

const constraints = z
  .strictObject({
    maxCutMs: ms.optional().meta({ description: 'Most of the end of the first track that may be lost' }),
    maxSkipMs: ms.optional().meta({ description: 'Most of the beginning of the next one; default 90,000' }),
    tempoShiftPct: z.number().min(0).max(6).optional().meta({ description: 'Largest change of speed' }),
    keyRule: z.enum(['any', 'compatible', 'same']).optional(),
    artistGap: z.number().int().min(0).max(50).optional().meta({
      description: 'Tracks between two of one artist, counted in `history`',
    }),
    keepVocals: z.boolean().optional().meta({ description: 'No two voices at once' }),
  })
  .meta({ id: 'TransitionConstraints' });

const filter = z
  .strictObject({
    catalog: z.string().max(1000).optional().meta({ description: 'Names separated by commas; default all' }),
    tempoBpm: z
      .strictObject({ min: z.number().min(20).max(400), max: z.number().min(20).max(400) })
      .optional()
      .meta({ description: 'Half and double tempo count as well' }),
    explicit: z.boolean().optional().meta({ description: '`false`: no tracks marked as explicit' }),
    market: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional()
      .meta({ description: 'ISO 3166-1 alpha-2: available there today' }),
  })
  .meta({ id: 'NextFilter' });

/** A question for what comes next. */
export const nextInput = z
  .strictObject({
    from: fromTrack,
    k: z.number().int().min(1).max(transitionLimits.answers).default(10),
    candidates: z.array(id).min(1).max(transitionLimits.candidates).optional(),
    filter: filter.optional(),
    constraints: constraints.optional(),
    history: z.array(id).max(transitionLimits.history).optional().meta({
      description: 'Played before, the latest last; none of it is offered',
    }),
    session: z.string().min(1).max(transitionLimits.sessionLength).optional().meta({
      description: 'What feedback says this listener heard lately is not offered',
    }),
    feedback: z.boolean().optional().meta({ description: '`false`: the order ignores what listeners did' }),
    diversity: z.number().min(0).max(1).optional(),
  })
  .meta({ id: 'NextInput' });

const curvePoint = z.object({
  atMs: ms,
  fader: z.number(),
  lowDb: z.number(),
  midDb: z.number(),
  highDb: z.number(),
});

/** How to mix. */
export const planResource = z
  .object({
    type: z.enum(['beatmix', 'fade', 'cut', 'gap', 'gapless']),
    cueOutMs: ms,
    cueInMs: ms,
    overlapMs: ms.meta({ description: 'Playing time in which both sound' }),
    overlapBeats: z.number().int(),
    fromTempoRatio: z.number().meta({ description: 'Playing speed: 1.05 is 5 % faster' }),
    toTempoRatio: z.number(),
    fromGainDb: z.number(),
    toGainDb: z.number(),
    bassSwapMs: ms,
    curves: z.object({ from: z.array(curvePoint), to: z.array(curvePoint) }),
  })
  .meta({ id: 'MixPlan' });

const judged = {
  confidence: z.number().min(0).max(1),
  outcome: z.enum(['mix', 'gapless', 'do-not-mix']),
  cueInMs: ms,
  plan: planResource,
  reasons: z
    .array(z.object({ code: z.string(), value: z.number() }))
    .meta({ description: 'What each component adds to the confidence, largest effect first' }),
};

/** What comes next. */
export const nextResource = z
  .object({
    from: z.object({ trackId: z.string().optional(), cueOutMs: ms }),
    candidates: z.array(
      z.object({
        trackId: z.string(),
        title: z.string().optional(),
        artists: z.array(z.string()),
        score: z.number().min(0).max(1),
        ...judged,
      }),
    ),
  })
  .meta({ id: 'Next' });

/** Pairs to judge. */
export const scoreInput = z
  .strictObject({
    pairs: z
      .array(z.strictObject({ from: fromTrack, to: id }))
      .min(1)
      .max(transitionLimits.pairs),
    constraints: constraints.optional(),
  })
  .meta({ id: 'ScoreInput' });

/** Judged pairs in the order of the request. */
export const scoreResource = z
  .object({
    pairs: z.array(z.object({ from: z.string(), to: z.string(), cueOutMs: ms, ...judged })),
  })
  .meta({ id: 'Scores' });

/** Tracks to order. */
export const sequenceInput = z
  .strictObject({
    tracks: z.array(id).min(2).max(transitionLimits.sequence),
    curve: z
      .array(z.strictObject({ at: z.number().min(0).max(1), energy: z.number().min(0).max(1) }))
      .min(1)
      .max(transitionLimits.curvePoints)
      .optional()
      .meta({ description: 'Wanted energy, 0..1 among these tracks, at shares of the sequence' }),
    pins: z
      .array(z.strictObject({ track: id, position: z.number().int().min(-transitionLimits.sequence) }))
      .max(transitionLimits.sequence)
      .optional()
      .meta({ description: 'Positions from 0; -1 is the last' }),
    locks: z
      .array(z.array(id).min(2).max(transitionLimits.sequence))
      .max(transitionLimits.sequence)
      .optional()
      .meta({ description: 'Tracks that follow each other without a break' }),
    budgetMs: z.number().int().min(1).optional().meta({ description: 'Longest total' }),
    constraints: constraints.optional(),
  })
  .meta({ id: 'SequenceInput' });

/** Tracks in order. */
export const sequenceResource = z
  .object({
    tracks: z.array(
      z.object({
        trackId: z.string(),
        durationMs: ms,
        energy: z.number(),
        score: z.number().optional().meta({ description: 'How well it follows the one before' }),
      }),
    ),
    leftOut: z.array(z.string()),
    durationMs: ms,
  })
  .meta({ id: 'Sequence' });

/** A transition to render. */
export const previewInput = z
  .strictObject({
    from: fromTrack,
    to: id,
    constraints: constraints.optional(),
    format: z.enum(['wav', 'opus']).default('wav'),
  })
  .meta({ id: 'PreviewInput' });

const event = z.strictObject({
  from: id,
  to: id,
  outcome: z.enum(['skip', 'complete']),
  session: z.string().min(1).max(transitionLimits.sessionLength).optional(),
});

/** What listeners did: one event or several. */
export const feedbackInput = z
  .union([event, z.strictObject({ events: z.array(event).min(1).max(transitionLimits.events) })])
  .transform((body) => ('events' in body ? body.events : [body]))
  .meta({ id: 'FeedbackInput' });

/** How many events were kept. */
export const feedbackResource = z.object({ accepted: z.number().int() }).meta({ id: 'FeedbackAccepted' });
