import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ApiContext } from '../api-context.js';
import { Route } from '../http/answers.js';

const live = z.object({ status: z.literal('ok') }).meta({ id: 'Live' });
const ready = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    database: z.object({ status: z.enum(['ok', 'down']) }),
    engine: z.object({
      status: z.enum(['ok', 'degraded', 'down']),
      details: z.record(z.string(), z.unknown()),
    }),
  })
  .meta({ id: 'Ready' });

/** For whoever watches the process; open to everybody who can reach it. */
@ApiTags('health')
@Controller()
export class HealthController {
  constructor(@Inject(ApiContext) private readonly context: ApiContext) {}

  @Get('health/live')
  @ApiOperation({ summary: 'Say that the process runs' })
  @Route(undefined, [{ status: 200, description: 'It runs', schema: live }])
  live(): Readonly<{ status: 'ok' }> {
    return { status: 'ok' };
  }

  @Get('health/ready')
  @ApiOperation({ summary: 'Say whether database and index work' })
  @Route(undefined, [
    { status: 200, description: 'Ready', schema: ready },
    { status: 503, description: 'Not ready', schema: ready },
  ])
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const database = await this.context.database.pool.query('SELECT 1').then(
      () => 'ok' as const,
      () => 'down' as const,
    );
    const engine = await this.context.engine.health().catch(() => ({ status: 'down' as const, details: {} }));
    const status = database === 'down' || engine.status === 'down' ? 'down' : engine.status;
    await reply.code(status === 'down' ? 503 : 200).send({ status, database: { status: database }, engine });
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Metrics in the text format of Prometheus' })
  @Route(undefined, [{ status: 200, description: 'Metrics' }])
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { registry } = this.context.metrics;
    await reply.header('content-type', registry.contentType).send(await registry.metrics());
  }
}
