import { Body, Controller, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { SequenceResult } from '@earmark/engine';
import { errorCode, parseId, type TenantId, type TrackId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { MayWait, Repeatable, Route } from '../http/answers.js';
import { answerWithJob } from '../http/job-answer.js';
import { principalOf } from '../http/principal.js';
import { jobResource, toJob } from '../resources.js';
import { goneMeanwhile } from './closed-request.js';
import {
  feedbackInput,
  feedbackResource,
  nextInput,
  nextResource,
  scoreInput,
  scoreResource,
  sequenceInput,
  sequenceResource,
} from './transition-resources.js';

/** What fits next, and what listeners think of it. */
@ApiTags('transitions')
@Controller('v1')
export class TransitionsController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Post('next')
  @HttpCode(200)
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOperation({
    summary: 'Say which tracks fit next, how to mix them and why',
    description: 'Best first; an empty list = nothing passes the filters.',
  })
  @Route(
    'transitions:read',
    [{ status: 200, description: 'What fits', schema: nextResource }],
    [404, 409, 422],
  )
  async next(
    @Body({ schema: nextInput }) input: z.output<typeof nextInput>,
    @Req() request: FastifyRequest,
  ): Promise<Uint8Array> {
    const { tenantId } = principalOf(request);
    const { from, candidates, history, filter, constraints, ...wishes } = input;
    const { catalog, ...filters } = filter ?? {};
    const ids = (list: readonly string[], field: string): TrackId[] =>
      list.map((id, i) => parseId('track', id, `/${field}/${i}`));
    const catalogIds = catalog === undefined ? [] : await this.context.catalogsToRead(tenantId, catalog);
    return this.known(tenantId, [from.trackId], () =>
      this.context.engine.transitionThreads.next({
        ...given(wishes),
        tenantId,
        from: fromOf(from, '/from'),
        filter: { ...given(filters), catalogIds },
        constraints: given(constraints ?? {}),
        ...(candidates !== undefined && { candidates: ids(candidates, 'candidates') }),
        ...(history !== undefined && { history: ids(history, 'history') }),
        signal: goneMeanwhile(request),
      }),
    );
  }

  @Post('transitions::score')
  @HttpCode(200)
  @ApiOperation({ summary: 'Judge and plan given pairs' })
  @Route(
    'transitions:read',
    [{ status: 200, description: 'The pairs, in their order', schema: scoreResource }],
    [404, 409, 422],
  )
  async score(
    @Body({ schema: scoreInput }) input: z.output<typeof scoreInput>,
    @Req() request: FastifyRequest,
  ): Promise<{ pairs: readonly unknown[] }> {
    const { tenantId } = principalOf(request);
    const pairs = input.pairs.map(({ from, to }, i) => ({
      from: fromOf(from, `/pairs/${i}/from`),
      to: { trackId: parseId('track', to, `/pairs/${i}/to`) },
    }));
    const named = pairs.flatMap(({ from, to }) => [from.trackId, to.trackId]);
    const scores = await this.known(tenantId, named, () =>
      this.context.engine.transitionThreads.score({
        tenantId,
        pairs,
        constraints: given(input.constraints ?? {}),
        signal: goneMeanwhile(request),
      }),
    );
    return {
      pairs: scores.map((score, i) => ({ from: pairs[i]?.from.trackId, to: pairs[i]?.to.trackId, ...score })),
    };
  }

  @Post('sequences')
  @HttpCode(200)
  @ApiOperation({ summary: 'Order a set of tracks along an energy curve so that neighbours fit' })
  @Route(
    'transitions:read',
    [{ status: 200, description: 'The order', schema: sequenceResource }],
    [404, 409, 422],
  )
  async sequence(
    @Body({ schema: sequenceInput }) input: z.output<typeof sequenceInput>,
    @Req() request: FastifyRequest,
  ): Promise<SequenceResult> {
    const { tenantId } = principalOf(request);
    const { tracks, pins, locks, constraints, ...wishes } = input;
    const trackIds = tracks.map((id, i) => parseId('track', id, `/tracks/${i}`));
    return this.known(tenantId, trackIds, () =>
      this.context.engine.transitionThreads.sequence({
        ...given(wishes),
        tenantId,
        trackIds,
        constraints: given(constraints ?? {}),
        pins: (pins ?? []).map(({ track, position }, i) => ({
          trackId: parseId('track', track, `/pins/${i}/track`),
          position,
        })),
        locks: (locks ?? []).map((lock, i) => lock.map((id, j) => parseId('track', id, `/locks/${i}/${j}`))),
      }),
    );
  }

  @Post('feedback')
  @HttpCode(200)
  @Repeatable()
  @ApiOperation({
    summary: 'Say what listeners did at transitions: skip or complete',
    description: 'One event, or `{events: [...]}`. Pairs that are skipped often are offered later.',
  })
  @Route('transitions:read', [{ status: 200, description: 'Kept', schema: feedbackResource }], [404, 422])
  async feedback(
    @Body({ schema: feedbackInput }) input: z.output<typeof feedbackInput>,
    @Req() request: FastifyRequest,
  ): Promise<z.output<typeof feedbackResource>> {
    const events = input.map(({ from, to, outcome, session }, i) => ({
      fromTrackId: parseId('track', from, `/events/${i}/from`),
      toTrackId: parseId('track', to, `/events/${i}/to`),
      outcome,
      ...(session !== undefined && { session }),
    }));
    await this.context.engine.transitions.addFeedback(principalOf(request).tenantId, events);
    return { accepted: events.length };
  }

  @Post('transitions::analyze')
  @Repeatable()
  @MayWait()
  @ApiOperation({
    summary: 'Analyse every track that was not, or by an older version',
    description: 'Needed after an update, or where recordings are not analysed when they are taken in.',
  })
  @Route('catalog:write', [
    { status: 200, description: 'Done within the time that the request waits', schema: jobResource },
    { status: 202, description: 'Queued', schema: jobResource, headers: ['Location'] },
  ])
  async analyze(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { tenantId } = principalOf(request);
    const job = await this.context.queue.enqueue({ tenantId, kind: 'analyze', payload: {} });
    await answerWithJob(this.context, request, reply, job, (done) =>
      Promise.resolve({ status: 200, location: `/v1/jobs/${job.id}`, body: toJob(done) }),
    );
  }

  /** Tells tracks that do not exist from tracks that were not analysed, where that makes work fail. */
  private async known<T>(tenantId: TenantId, named: readonly string[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) !== 'transition.not-analyzed') throw error;
      const ids = named.map((id) => parseId('track', id));
      const found = await this.context.tracks.findByIds(tenantId, ids);
      const missing = ids.find((id) => found.every((track) => track.id !== id));
      if (missing === undefined) throw error;
      throw new RequestError('catalog.track-not-found', `there is no track ${missing}`);
    }
  }
}

/** Reads where to go on from. */
export function fromOf(
  { trackId, atMs }: { trackId: string; atMs?: number | undefined },
  pointer: string,
): { trackId: TrackId; atMs?: number } {
  return {
    trackId: parseId('track', trackId, pointer),
    ...(atMs !== undefined && { atMs }),
  };
}

/** Fields that were given. */
export function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
