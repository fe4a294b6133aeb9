import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { fileForm } from './http/file-form.js';
import { newScan, newTrack } from './resources.js';

type OpenApiSchema = ReturnType<typeof fileForm>['schema'];

/** Bodies of routes that take JSON or a file, which Nest cannot see. */
const eitherBodies: Readonly<
  Record<string, Readonly<{ json: z.ZodType; fields: Parameters<typeof fileForm>[0] }>>
> = {
  '/v1/tracks': {
    json: newTrack,
    fields: {
      metadata: { type: 'string', description: 'JSON of TrackInput' },
      catalog: { type: 'string', description: 'Name; default "main"' },
      allowDuplicates: { type: 'string', description: '`true` or `false`' },
    },
  },
  '/v1/scans': {
    json: newScan,
    fields: { catalog: { type: 'string', description: 'Names separated by commas; default all' } },
  },
};

/** Paths as callers write them: an action after a colon is part of the path, not a parameter. */
function callersPath(path: string): string {
  return path
    .replace('::', ':')
    .replace('{idAndAction}', '{id}:cancel')
    .replace('{versionAndAction}', '{version}:promote');
}

/** Describes the API, from the same Zod schemas that check its requests. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Earmark')
    .setDescription(
      'Listens to music: what it is, whose it is, what fits next. Errors are RFC 9457 problems.',
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (controller, method) =>
      `${controller.replace('Controller', '').toLowerCase()}.${method}`,
  });
  const paths: OpenAPIObject['paths'] = {};
  for (const [path, item] of Object.entries(document.paths).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { json, fields } = eitherBodies[path] ?? {};
    if (item.post && json && fields) {
      item.post.requestBody = {
        required: true,
        content: {
          'application/json': { schema: jsonSchemaOf(json) },
          'multipart/form-data': { schema: fileForm(fields).schema },
        },
      };
    }
    for (const parameter of item.post?.parameters ?? []) {
      if ('name' in parameter && parameter.name.endsWith('AndAction')) {
        parameter.name = parameter.name.slice(0, -'AndAction'.length);
        delete parameter.description;
      }
    }
    paths[callersPath(path)] = item;
  }
  return { ...document, paths };
}

function jsonSchemaOf(schema: z.ZodType): OpenApiSchema {
  const {
    $schema: _dialect,
    id: _id,
    $defs: _defs,
    ...rest
  } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    // Components are for answers; here everything stands in its place.
    metadata: z.registry<z.GlobalMeta>(),
  });
  return rest as OpenApiSchema;
}
