import { facets } from '@earmark/tagging';
import { z } from 'zod';

/** Zod schemas of what the tag routes take and give. */

const ms = z.number().int();
const score = z.number().min(0).max(1);
const facet = z.enum(facets);
const range = z.object({ startMs: ms, endMs: ms, score });

const scoredTag = z.object({ facet, tag: z.string(), score });

const tagSchema = scoredTag
  .extend({ segments: z.array(range), verdict: z.enum(['confirmed', 'rejected']).optional() })
  .meta({ id: 'Tag', description: 'Calibrated probability, and where the tag holds' });

const segmentSchema = z
  .object({ startMs: ms, endMs: ms, tags: z.array(scoredTag) })
  .meta({ id: 'TaggedSegment' });

/** A moment at which the mood turns into its opposite. */
export const shiftResource = z
  .object({
    atMs: ms,
    from: z.array(z.string()),
    to: z.array(z.string()),
    sentence: z.object({ en: z.string(), zh: z.string() }).optional(),
  })
  .meta({ id: 'MoodShift' });

/** What is said of a track or file. */
export const taggingResource = z
  .object({
    durationMs: ms,
    model: z.object({ id: z.string(), version: z.string() }),
    sentence: z.object({ en: z.string(), zh: z.string() }),
    tags: z.array(tagSchema),
    shifts: z.array(shiftResource),
    segments: z.array(segmentSchema).optional(),
  })
  .meta({ id: 'Tagging' });

/** Which tags of a track are wanted. */
export const tagsQuery = z.strictObject({
  facet: facet.optional(),
  level: z.enum(['track', 'segment']).default('track').meta({ description: 'segment: also each segment' }),
  minScore: z.coerce.number().min(0).max(1).default(0),
});

/** A person's verdict on a tag; null takes it back. */
export const verdictInput = z
  .strictObject({ facet, verdict: z.enum(['confirmed', 'rejected']).nullable() })
  .meta({ id: 'TagVerdictInput' });

/** A vocabulary. */
export const ontologyResource = z
  .object({
    id: z.string(),
    version: z.string(),
    concepts: z.array(
      z.object({
        facet,
        tag: z.string(),
        label: z.object({ en: z.string(), zh: z.string() }),
        synonyms: z.array(z.string()),
      }),
    ),
    relations: z.record(z.string(), z.array(z.array(z.string()))),
  })
  .meta({ id: 'Ontology' });
