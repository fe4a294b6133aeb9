import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { isId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { RankedTrack, TagFilter } from '@earmark/storage';
import { facets } from '@earmark/tagging';
import type { FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';
import { principalOf } from '../http/principal.js';
import {
  type CatalogFinder,
  readFilter,
  readLike,
  readWeights,
  readWords,
  type SearchInput,
  searchInput,
} from './search-input.js';

const count = z.number().int();
const facet = z.enum(facets);

const hitResource = z
  .object({
    trackId: z.string(),
    title: z.string().optional(),
    artists: z.array(z.string()),
    durationMs: count,
    score: z.number(),
    similarity: z.number().optional(),
    sentence: z.object({ en: z.string(), zh: z.string() }),
    model: z.object({ id: z.string(), version: z.string() }),
    highlights: z
      .array(z.object({ startMs: count, endMs: count, facet: facet.optional(), tag: z.string().optional() }))
      .meta({ description: 'Where wanted tags hold; without a tag: what sounds most alike' }),
  })
  .meta({ id: 'SearchHit' });

const searchResource = z
  .object({
    data: z.array(hitResource),
    facets: z
      .array(z.object({ facet, tag: z.string(), tracks: count }))
      .meta({ description: 'Over everything that fits the filter, not only this page' }),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'SearchResult' });

/** Finding tracks by what they are. */
@ApiTags('search')
@Controller('v1/search')
export class SearchController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Find tracks by tags, descriptors and sound',
    description:
      'The best first. Verdicts of people overrule the model. `nextCursor` fits the same search only, whatever its limit.',
  })
  @Route('tags:read', [{ status: 200, description: 'A page', schema: searchResource }], [400, 422])
  async search(
    @Body({ schema: searchInput }) input: SearchInput,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof searchResource>> {
    const { tenantId } = principalOf(request);
    const { limit, cursor, ...question } = input;
    const name = createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 12);
    const after = cursor === undefined ? undefined : readPlace(cursor, name);
    const filters: TagFilter[] = [];
    if (input.q !== undefined) filters.push(readWords(input.q));
    const catalogs: CatalogFinder = (names) =>
      Promise.all(names.map(async (one) => (await this.context.catalogs.findCatalog(tenantId, one))?.id));
    if (input.filter !== undefined) filters.push(await readFilter(input.filter, catalogs));
    const page = await this.context.engine.tagging.finder.find(
      tenantId,
      {
        ...(filters.length > 0 && { filter: { op: 'and' as const, filters } }),
        ...(input.like && { like: readLike(input.like) }),
        ...(input.weights && { weights: readWeights(input.weights) }),
        facets: input.facets,
      },
      { limit: limit + 1, ...(after && { after }) },
    );
    const shown = page.hits.slice(0, limit);
    const last = shown.at(-1);
    const hasMore = page.hits.length > limit && last !== undefined;
    return {
      data: shown.map(({ title, artists, highlights, ...hit }) => ({
        ...hit,
        ...(title !== null && { title }),
        artists: [...artists],
        highlights: [...highlights],
      })),
      facets: [...page.facets],
      nextCursor: hasMore ? writePlace(last, name) : null,
    };
  }
}

/** A cursor: the question's name, score and track of the last hit. */
function writePlace({ score, trackId }: RankedTrack, name: string): string {
  return Buffer.from(JSON.stringify([name, score, trackId])).toString('base64url');
}

function readPlace(cursor: string, name: string): RankedTrack {
  const wrong = (title: string): RequestError =>
    new RequestError('request.invalid', title, [{ pointer: '/cursor', code: 'request.bad-cursor', title }]);
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw wrong('the cursor is none of ours');
  }
  if (!Array.isArray(place) || place.length !== 3) throw wrong('the cursor is none of ours');
  const [of, score, trackId] = place as readonly unknown[];
  if (typeof score !== 'number' || typeof trackId !== 'string' || !isId('track', trackId))
    throw wrong('the cursor is none of ours');
  if (of !== name) throw wrong('the cursor belongs to another search');
  return { score, trackId };
}
