/** Whether a request may go on, and what its answer says about it. */
export type RateVerdict = Readonly<{ allowed: boolean; remaining: number; resetSeconds: number }>;

/** Most keys that are remembered; the longest unused is forgotten first. */
const maxKeys = 10_000;

/**
 * A bucket of tokens for each key: full at first, refilled evenly, one token a request.
 *
 * @see draft-ietf-httpapi-ratelimit-headers for the headers made of a verdict
 */
export class RateLimiter {
  private readonly buckets = new Map<string, { tokens: number; atMs: number }>();
  private readonly perMinute: number;

  /** @param perMinute size of the bucket and refill of a minute */
  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** Takes a token of the key's bucket. */
  take(key: string, nowMs: number): RateVerdict {
    const bucket = this.buckets.get(key) ?? { tokens: this.perMinute, atMs: nowMs };
    const refilled = bucket.tokens + ((nowMs - bucket.atMs) / 60_000) * this.perMinute;
    const tokens = Math.min(this.perMinute, refilled);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.buckets.delete(key);
    this.buckets.set(key, { tokens: left, atMs: nowMs });
    if (this.buckets.size > maxKeys) {
      const oldest = this.buckets.keys().next();
      if (!oldest.done) this.buckets.delete(oldest.value);
    }
    const missing = allowed ? this.perMinute - left : 1 - left;
    return {
      allowed,
      remaining: Math.floor(left),
      resetSeconds: Math.max(1, Math.ceil((missing / this.perMinute) * 60)),
    };
  }
}
