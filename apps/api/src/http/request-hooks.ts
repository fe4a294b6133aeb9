import { RateLimiter, RequestError } from '@earmark/platform';
import { createHash, randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiContext } from '../api-context.js';

const writeMethods = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Headers of an answer that a repeat gets again. */
const keptHeaders = ['content-type', 'location', 'content-location', 'etag', 'link'] as const;

/** Routes whose answers hold a secret and are never kept. */
const secretRoutes = new Set(['/v1/keys']);

/** Makes the id of a request: the sender's if it is harmless in a log, else a fresh one. */
export function requestIdFrom(header: string | string[] | undefined): string {
  const given = Array.isArray(header) ? header[0] : header;
  if (given !== undefined && /^[\w.:-]{1,128}$/.test(given)) return given;
  return `req_${randomBytes(12).toString('hex')}`;
}

/** Gives the `traceparent` of the answer: the sender's trace with a span of our own. */
function traceparentFrom(header: string | string[] | undefined): string {
  const trace =
    typeof header === 'string' ? /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/.exec(header) : undefined;
  const traceId = trace?.[1] ?? randomBytes(16).toString('hex');
  return `00-${traceId}-${randomBytes(8).toString('hex')}-${trace?.[2] ?? '00'}`;
}

/** Registers what happens around every request: id, key, rate limit, kept answers, metrics, log. */
export function registerRequestHooks(server: FastifyInstance, context: ApiContext): void {
  const limiter = new RateLimiter(context.settings.requestsPerMinute);
  const policy = `"default";q=${context.settings.requestsPerMinute};w=60`;

  server.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id);
    void reply.header('traceparent', traceparentFrom(request.headers.traceparent));
    void reply.header('x-content-type-options', 'nosniff');
    await authenticate(context, request);
    const caller = request.principal?.keyId ?? request.ip;
    const verdict = limiter.take(caller, Date.now());
    void reply.header('ratelimit-policy', policy);
    void reply.header('ratelimit', `"default";r=${verdict.remaining};t=${verdict.resetSeconds}`);
    if (!verdict.allowed) {
      throw new RequestError('request.rate-limited', `wait ${verdict.resetSeconds} s`, [], {
        'retry-after': String(verdict.resetSeconds),
      });
    }
  });

  server.addHook('preHandler', (request, reply) => replay(context, request, reply));
  server.addHook('onSend', async (request, reply, payload) => {
    await keepAnswer(context, request, reply, payload);
    return payload;
  });
  server.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    context.metrics.requestSeconds.observe(labels, reply.elapsedTime / 1000);
    const { id: requestId, method } = request;
    const ms = Math.round(reply.elapsedTime);
    const keyId = request.principal?.keyId;
    context.logger.info(
      { requestId, method, route, status: reply.statusCode, ms, keyId },
      'request answered',
    );
  });
}

async function authenticate(context: ApiContext, request: FastifyRequest): Promise<void> {
  const { authorization } = request.headers;
  if (authorization === undefined) return;
  const secret = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  const key = secret === undefined ? undefined : await context.knownKeys.find(secret);
  if (!key) {
    throw new RequestError('auth.bad-key', 'the key is unknown or was revoked', [], {
      'www-authenticate': 'Bearer realm="earmark", error="invalid_token"',
    });
  }
  request.principal = { tenantId: key.tenantId, keyId: key.id, scopes: key.scopes };
}

/** Hash over what a request asks for; of a streamed body only its length and type, for it is read once. */
function requestHash(request: FastifyRequest): string {
  const isParsed = typeof request.body === 'object' && request.body !== null && !request.isMultipart();
  const type = (request.headers['content-type'] ?? '').split(';')[0];
  const body = isParsed ? JSON.stringify(request.body) : `${type} ${request.headers['content-length'] ?? ''}`;
  return createHash('sha256').update(`${request.method}\n${request.url}\n${body}`).digest('hex');
}

async function replay(context: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const header = request.headers['idempotency-key'];
  if (header === undefined || !request.principal || !writeMethods.has(request.method)) return undefined;
  if (secretRoutes.has(request.routeOptions.url ?? '')) return undefined;
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new RequestError('idempotency.bad-key', 'an Idempotency-Key is 1 to 255 printable characters');
  }
  const { tenantId } = request.principal;
  const claim = await context.answers.claim(tenantId, header, requestHash(request));
  switch (claim.outcome) {
    case 'first':
      request.idempotencyKey = header;
      return undefined;
    case 'other':
      throw new RequestError('idempotency.key-reused', 'this key belongs to a request with other contents');
    case 'running':
      throw new RequestError('idempotency.in-progress', 'the first request is still running', [], {
        'retry-after': '1',
      });
    case 'repeat': {
      const { answer } = claim;
      request.raw.resume();
      return reply
        .code(answer.status)
        .headers(answer.headers)
        .header('idempotent-replayed', 'true')
        .send(answer.body);
    }
  }
}

/** Keeps the answer for repeats, unless a repeat may come out better: server errors, limits, missing rights. */
async function keepAnswer(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const { idempotencyKey: key, principal } = request;
  if (key === undefined || !principal) return;
  const status = reply.statusCode;
  if (status >= 500 || status === 429 || status === 403 || status === 409) {
    await context.answers.forget(principal.tenantId, key);
    return;
  }
  const headers: Record<string, string> = {};
  for (const name of keptHeaders) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : '';
  await context.answers.keep(principal.tenantId, key, { status, headers, body });
}
