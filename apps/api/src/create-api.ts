import 'reflect-metadata';
import multipart from '@fastify/multipart';
import { Controller, Get, type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiExcludeController, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { ApiContext, type ApiOptions } from './api-context.js';
import { ImportsController } from './catalog/imports.controller.js';
import { TracksController } from './catalog/tracks.controller.js';
import { HealthController } from './health/health.controller.js';
import { ScopeGuard } from './http/principal.js';
import { ProblemFilter } from './http/problem-filter.js';
import { registerRequestHooks, requestIdFrom } from './http/request-hooks.js';
import { SchemaPipe } from './http/schema-pipe.js';
import { IdentifyController } from './identify/identify.controller.js';
import { IndexController } from './index/index.controller.js';
import { JobsController } from './jobs/jobs.controller.js';
import { KeysController } from './keys/keys.controller.js';
import { describeApi } from './openapi.js';
import { ModelsController } from './models/models.controller.js';
import { RetagsController } from './models/retags.controller.js';
import { ScansController } from './scans/scans.controller.js';
import { SearchController } from './search/search.controller.js';
import { TimelineController } from './tags/timeline.controller.js';
import { TagsController } from './tags/tags.controller.js';
import { PreviewsController } from './transitions/previews.controller.js';
import { TransitionsController } from './transitions/transitions.controller.js';
import { partType, UploadsController } from './uploads/uploads.controller.js';

/** Largest JSON body, in bytes. */
const maxJsonBytes = 1_048_576;
/** How often expired uploads and files without an owner are removed. */
const sweepIntervalMs = 600_000;

/** An API that is ready to listen. */
export type Api = Readonly<{
  app: NestFastifyApplication;
  context: ApiContext;
  /** The OpenAPI description. */
  description: OpenAPIObject;
  /**
   * Starts to listen.
   *
   * @returns the base URL
   */
  listen(): Promise<string>;
  /** Answers what is running, then closes; database and engine belong to the caller. */
  close(): Promise<void>;
}>;

@Module({})
class ApiModule {
  static of(context: ApiContext): DynamicModule {
    return {
      module: ApiModule,
      controllers: [
        TracksController,
        ImportsController,
        UploadsController,
        IdentifyController,
        ScansController,
        TagsController,
        TransitionsController,
        PreviewsController,
        ModelsController,
        RetagsController,
        SearchController,
        TimelineController,
        JobsController,
        KeysController,
        IndexController,
        HealthController,
        DescriptionController,
      ],
      providers: [
        { provide: ApiContext, useValue: context },
        { provide: APP_GUARD, useClass: ScopeGuard },
        { provide: APP_PIPE, useClass: SchemaPipe },
        { provide: APP_FILTER, useValue: new ProblemFilter(context.logger) },
      ],
    };
  }
}

/** Serves the description that the process made at its start. */
@ApiExcludeController()
@Controller('v1/openapi.json')
class DescriptionController {
  static description: OpenAPIObject | undefined;

  @Get()
  read(): OpenAPIObject | undefined {
    return DescriptionController.description;
  }
}

/** Builds the API over an open database and an engine. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const context = new ApiContext(options);
  const adapter = new FastifyAdapter({
    bodyLimit: maxJsonBytes,
    genReqId: (request: IncomingMessage) => requestIdFrom(request.headers['x-request-id']),
    // Uploads may take hours, but not without a byte for two minutes.
    requestTimeout: 0,
    connectionTimeout: 120_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 300 },
  });
  const server = adapter.getInstance<FastifyInstance>();
  await server.register(multipart, { throwFileSizeLimit: false });
  server.addContentTypeParser(partType, (_request, _payload, done) => done(null));
  registerRequestHooks(server, context);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.of(context), adapter, {
    logger: false,
    abortOnError: false,
  });
  const description = describeApi(app);
  DescriptionController.description = description;
  SwaggerModule.setup('docs', app, description, { customSiteTitle: 'Earmark API' });
  await app.init();
  await server.ready();
  await sweep(context);
  const timer = setInterval(() => {
    sweep(context).catch((err: unknown) => context.logger.warn({ err }, 'sweep failed'));
  }, sweepIntervalMs);
  timer.unref();
  return {
    app,
    context,
    description,
    async listen() {
      await app.listen({ host: options.settings.host, port: options.settings.port });
      const address = server.server.address();
      const port = typeof address === 'object' && address ? address.port : options.settings.port;
      const host = options.settings.host.includes(':') ? `[${options.settings.host}]` : options.settings.host;
      return `http://${host}:${port}`;
    },
    async close() {
      clearInterval(timer);
      await context.endings.close();
      await app.close();
    },
  };
}

/** Removes uploads and previews past their time, and files that a crash left without an owner. */
async function sweep(context: ApiContext): Promise<void> {
  for (const id of await context.uploads.removeExpired()) await context.files.remove(id);
  await context.engine.transitions.previews.sweep(Date.now());
  await context.files.removeOrphans((id) => context.uploads.exists(id), Date.now());
}
