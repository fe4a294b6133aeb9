import { facets } from '@earmark/tagging';
import { z } from 'zod';
import { pageQuery } from '../http/paging.js';

/** Zod schemas of what the model and re-tagging routes take and give. */

const count = z.number().int();
const modelRef = z.object({ id: z.string(), version: z.string() });

/** A version of a model. */
export const modelVersionResource = modelRef
  .extend({
    state: z.enum(['active', 'available', 'missing']).meta({
      description: 'active: its tags are shown; missing: its tags are stored, its files are gone',
    }),
    tracks: count.meta({ description: 'Tracks that it has tagged' }),
    about: z
      .object({
        parameters: count,
        bytes: count,
        tags: count,
        experimental: count.meta({ description: 'Tags that no labelled data has proven' }),
        macroRocAuc: z.number().optional(),
      })
      .optional(),
  })
  .meta({ id: 'ModelVersion' });

/** Every model. */
export const modelsResource = z
  .object({
    data: z.array(modelVersionResource),
    problems: z.array(z.object({ code: z.string(), title: z.string() })),
  })
  .meta({ id: 'Models', description: 'Problems are folders of models that cannot be used' });

/** Versions of one model. */
export const modelVersionsResource = z
  .object({ data: z.array(modelVersionResource) })
  .meta({ id: 'ModelVersions' });

/** What to tag again. */
export const retagInput = z
  .strictObject({
    model: z
      .string()
      .max(100)
      .regex(/^[a-z0-9]+(-[a-z0-9]+)*(@\d+\.\d+\.\d+)?$/, 'id or id@version')
      .optional()
      .meta({ description: 'id or id@version; default the newest earmark-tagger' }),
    dryRun: z.boolean().default(false).meta({ description: 'Only compare' }),
    catalog: z.string().max(300).optional().meta({ description: 'Names separated by commas; default all' }),
  })
  .meta({ id: 'RetagInput' });

const range = z.object({ startMs: count, endMs: count });
const facet = z.enum(facets);
const scored = z.object({ facet, tag: z.string(), score: z.number() });

/** What a re-tagging changes in a track. */
export const retagChangeResource = z
  .object({
    trackId: z.string(),
    path: z.string().optional(),
    title: z.string().optional(),
    from: modelRef.optional(),
    to: modelRef,
    added: z.array(scored).optional(),
    dropped: z.array(scored).optional(),
    moved: z.array(z.object({ facet, tag: z.string(), from: z.array(range), to: z.array(range) })).optional(),
    error: z.object({ code: z.string(), title: z.string() }).optional(),
  })
  .meta({ id: 'RetagChange' });

/** A re-tagging and how far it is. */
export const retagResource = z
  .object({
    id: z.string(),
    state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
    dryRun: z.boolean(),
    done: count,
    total: count,
    report: z
      .object({
        model: modelRef,
        dryRun: z.boolean(),
        tracks: count,
        changed: count,
        unchanged: count,
        failed: count,
        listened: count.meta({ description: 'Tracks whose audio had to be heard again' }),
        promoted: z.boolean(),
      })
      .optional(),
    error: z.object({ code: z.string(), title: z.string() }).optional(),
  })
  .meta({ id: 'Retag' });

/** Query of the changes of a re-tagging. */
export const changesQuery = pageQuery;
