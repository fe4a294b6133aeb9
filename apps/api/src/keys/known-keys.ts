import type { ApiKey, PgApiKeyStore } from '@earmark/storage';
import { createHash } from 'node:crypto';

/** How long a key counts as valid without asking the database again. */
const trustedMs = 1_000;
const mostKeys = 10_000;

/**
 * Keys that were valid a moment ago, so that a service that asks a hundred times a second costs one question a second. A
 * key revoked by another process counts for one second more; {@link KnownKeys.forget} ends that for keys revoked here.
 */
export class KnownKeys {
  /** By hash of the secret, oldest first: secrets are not kept. */
  readonly #known = new Map<
    string,
    { readonly key: Promise<ApiKey | undefined>; readonly untilMs: number }
  >();

  constructor(
    private readonly store: Pick<PgApiKeyStore, 'findBySecret'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** The valid key of a secret. */
  async find(secret: string): Promise<ApiKey | undefined> {
    const hash = createHash('sha256').update(secret).digest('base64');
    const known = this.#known.get(hash);
    if (known !== undefined && known.untilMs > this.nowMs()) return known.key;
    const entry = { key: this.store.findBySecret(secret), untilMs: this.nowMs() + trustedMs };
    this.#known.delete(hash);
    this.#known.set(hash, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostKeys) break;
      this.#known.delete(oldest);
    }
    try {
      const key = await entry.key;
      // What is unknown now may be made in the next moment.
      if (key === undefined && this.#known.get(hash) === entry) this.#known.delete(hash);
      return key;
    } catch (error) {
      if (this.#known.get(hash) === entry) this.#known.delete(hash);
      throw error;
    }
  }

  /** Asks the database again for every key. */
  forget(): void {
    this.#known.clear();
  }
}
