import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { KeyId, TenantId } from '@earmark/kernel';
import { RequestError } from '@earmark/platform';
import type { FastifyRequest } from 'fastify';

/** What a key may be allowed to do. `admin` includes all others. */
export const scopes = [
  'catalog:write',
  'catalog:read',
  'tags:read',
  'identify',
  'scan',
  'stream',
  'claims:review',
  'transitions:read',
  'models:train',
  'admin',
] as const;

/** One of {@link scopes}. */
export type Scope = (typeof scopes)[number];

/** Who makes a request. */
export type Principal = Readonly<{ tenantId: TenantId; keyId: KeyId; scopes: readonly string[] }>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the hooks for a request with a valid key. */
    principal?: Principal;
    /** Idempotency-Key whose answer must be kept. */
    idempotencyKey?: string;
  }
}

const scopeMetadata = 'earmark:scope';

/** Names the scopes of which a route needs one; a route without any is open to everybody. */
export const NeedsScope = (anyOf: readonly Scope[]): MethodDecorator & ClassDecorator =>
  SetMetadata(scopeMetadata, anyOf);

/**
 * Gives who makes a request.
 *
 * @throws {RequestError} `auth.missing-key`
 */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal;
  throw new RequestError('auth.missing-key', 'send Authorization: Bearer <key>', [], {
    'www-authenticate': 'Bearer realm="earmark"',
  });
}

/** Lets a request through if its key has a scope that the route takes. */
@Injectable()
export class ScopeGuard implements CanActivate {
  private readonly reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const anyOf = this.reflector.getAllAndOverride<readonly Scope[] | undefined>(scopeMetadata, targets);
    if (anyOf === undefined) return true;
    const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
    if ([...anyOf, 'admin'].some((scope) => principal.scopes.includes(scope))) return true;
    throw new RequestError('auth.missing-scope', `this needs the scope ${anyOf.join(' or ')}`, [], {
      'www-authenticate': `Bearer realm="earmark", error="insufficient_scope", scope="${anyOf.join(' ')}"`,
    });
  }
}
