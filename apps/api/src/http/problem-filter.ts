import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { RequestError, toProblem, type Logger } from '@earmark/platform';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Fastify's own errors, which happen before any of our code. */
const fastifyErrors: Readonly<Record<string, () => RequestError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new RequestError('request.too-large', 'a JSON body holds at most 1 MiB'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new RequestError('request.unsupported-type', 'send application/json or multipart/form-data'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new RequestError('request.bad-json', 'the body is empty'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new RequestError('request.bad-json', 'the body is no JSON'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new RequestError('request.bad-json', 'Content-Length is wrong'),
  FST_INVALID_MULTIPART_CONTENT_TYPE: () =>
    new RequestError('request.unsupported-type', 'send multipart/form-data'),
  FST_FILES_LIMIT: () => new RequestError('request.bad-multipart', 'send one file'),
  FST_PARTS_LIMIT: () => new RequestError('request.bad-multipart', 'too many parts'),
  FST_FIELDS_LIMIT: () => new RequestError('request.bad-multipart', 'too many fields'),
  FST_PROTO_VIOLATION: () => new RequestError('request.bad-multipart', 'a field has a forbidden name'),
};

/** Turns what Nest and Fastify throw into errors of ours; leaves the rest as it is. */
function translate(error: unknown): unknown {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    if (status === 404) return new RequestError('request.not-found', 'no route matches this method and path');
    if (status === 413) return new RequestError('request.too-large', error.message);
    if (status === 415) return new RequestError('request.unsupported-type', error.message);
    if (status === 400) return new RequestError('request.bad-json', error.message);
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (Object.hasOwn(fastifyErrors, code)) return fastifyErrors[code]?.();
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400) {
    return new RequestError('request.bad-json', 'the body is no JSON');
  }
  return error;
}

/** Answers every error with problem+json; writes to the log what the sender must not see. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = translate(thrown);
    const problem = toProblem(error, request.id);
    if (problem.status >= 500) this.logger.error({ requestId: request.id, err: thrown }, 'request failed');
    // What was not read must not stand in the way of the next request on this connection.
    request.raw.resume();
    if (error instanceof RequestError) void reply.headers(error.headers);
    if (problem.code === 'engine.busy') void reply.header('retry-after', '1');
    void reply
      .code(problem.status)
      .header('content-type', 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(problem));
  }
}
