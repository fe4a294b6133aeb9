import { Controller, Get, Inject, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { parseId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import { matchesOfTrack } from '@earmark/storage';
import { applyVerdicts, facets } from '@earmark/tagging';
import { loudnessStepMs } from '@earmark/engine';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';
import { principalOf } from '../http/principal.js';
import { shiftResource } from './tag-resources.js';

const ms = z.number().int();
const range = z.object({ startMs: ms, endMs: ms });
/** Most matches on a time line: the latest. */
const maxMatches = 200;

const timelineResource = z
  .object({
    trackId: z.string(),
    durationMs: ms,
    sentence: z.object({ en: z.string(), zh: z.string() }).optional(),
    tags: z.array(
      range.extend({
        facet: z.enum(facets),
        tag: z.string(),
        score: z.number(),
        verdict: z.string().optional(),
      }),
    ),
    shifts: z.array(shiftResource),
    speechMusic: z
      .array(range.extend({ label: z.enum(['speech', 'music', 'silence', 'speech-over-music']) }))
      .meta({ description: 'Without gaps where the track has been tagged' }),
    loudness: z
      .object({ stepMs: ms, lufs: z.array(z.number()), integratedLufs: z.number() })
      .optional()
      .meta({ description: 'LUFS of each step; -70 is silence' }),
    sections: z.array(range.extend({ label: z.string() })),
    tempoBpm: z.number().optional(),
    matches: z.array(
      range.extend({
        id: z.string(),
        scanId: z.string(),
        queryStartMs: ms,
        queryEndMs: ms,
        probability: z.number(),
        role: z.string(),
      }),
    ),
  })
  .meta({
    id: 'Timeline',
    description: 'Everything about a track on its own axis, each list in order of time',
  });

type Timeline = z.output<typeof timelineResource>;
type Stretch = Readonly<{ startMs: number; endMs: number }>;

/** What a track is, moment by moment. */
@ApiTags('tags')
@Controller('v1/tracks')
export class TimelineController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Get(':id/timeline')
  @ApiOperation({ summary: 'Read tags, mood shifts, speech, loudness, sections and matches on one axis' })
  @Route('tags:read', [{ status: 200, description: 'The time line', schema: timelineResource }], [404, 422])
  async read(@Param('id') id: string, @Req() request: FastifyRequest): Promise<Timeline> {
    const { tenantId } = principalOf(request);
    const trackId = parseId('track', id, 'path/id');
    const { engine, tracks, database } = this.context;
    const track = await tracks.findById(tenantId, trackId);
    if (!track) throw new RequestError('catalog.track-not-found', `there is no track ${id}`);
    const [said, verdicts, [profile], matches] = await Promise.all([
      engine.tagging.tagsOf(tenantId, trackId),
      engine.tagging.store.verdicts(tenantId, trackId),
      engine.transitions.store.find(tenantId, [trackId]),
      matchesOfTrack(database.pool, tenantId, trackId, maxMatches),
    ]);
    const tags = applyVerdicts(said?.tags ?? [], verdicts);
    const placesOf = (name: string): readonly Stretch[] =>
      tags.find(({ facet, tag }) => facet === 'activity' && tag === name)?.segments ?? [];
    const durationMs = track.durationMs ?? said?.durationMs ?? 0;
    return {
      trackId,
      durationMs,
      ...(said && { sentence: said.sentence }),
      tags: tags
        .filter(({ facet }) => facet !== 'activity')
        .flatMap(({ facet, tag, segments, verdict, score }) =>
          (segments.length > 0 ? segments : [{ startMs: 0, endMs: durationMs, score }]).map((place) => ({
            facet,
            tag,
            ...place,
            ...(verdict && { verdict }),
          })),
        )
        .sort((a, b) => a.startMs - b.startMs || b.score - a.score),
      shifts: [...(said?.shifts ?? [])].map(({ from, to, ...shift }) => ({
        ...shift,
        from: [...from],
        to: [...to],
      })),
      speechMusic: speechMusicOf(placesOf('speech'), placesOf('music'), placesOf('silence')),
      ...(profile && {
        loudness: {
          stepMs: loudnessStepMs,
          lufs: [...profile.loudnessCurve],
          integratedLufs: profile.loudness.integratedLufs,
        },
      }),
      sections: (profile?.sections ?? []).map((section) => ({ ...section })),
      ...(profile?.tempoBpm !== undefined && { tempoBpm: profile.tempoBpm }),
      matches: [...matches],
    };
  }
}

/** Joins three lists of places into one list of labelled stretches. */
function speechMusicOf(
  speech: readonly Stretch[],
  music: readonly Stretch[],
  silence: readonly Stretch[],
): Timeline['speechMusic'] {
  const edges = [
    ...new Set([...speech, ...music, ...silence].flatMap(({ startMs, endMs }) => [startMs, endMs])),
  ].sort((a, b) => a - b);
  const covers = (places: readonly Stretch[], atMs: number): boolean =>
    places.some(({ startMs, endMs }) => startMs <= atMs && atMs < endMs);
  const joined: Timeline['speechMusic'] = [];
  edges.slice(0, -1).forEach((startMs, i) => {
    const endMs = edges[i + 1] ?? startMs;
    const [talks, plays] = [covers(speech, startMs), covers(music, startMs)];
    const label = talks
      ? plays
        ? 'speech-over-music'
        : 'speech'
      : plays
        ? 'music'
        : covers(silence, startMs)
          ? 'silence'
          : undefined;
    const last = joined.at(-1);
    if (label === undefined) return;
    if (last?.label === label && last.endMs === startMs) last.endMs = endMs;
    else joined.push({ startMs, endMs, label });
  });
  return joined;
}
