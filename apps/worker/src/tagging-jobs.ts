import type { Engine } from '@earmark/engine';
import type { CatalogId } from '@earmark/kernel';
import type { JobHandler } from '@earmark/platform';

/** What a `retag` job does: tags every track with another model. */
export type RetagJobPayload = Readonly<{
  /** `id@version` or `id`; absent: the newest `earmark-tagger`. */
  model?: string;
  dryRun: boolean;
  catalogIds: readonly CatalogId[];
}>;

/** The kinds of jobs on tags: `retag`. */
export function taggingJobs(engine: Engine): Readonly<Record<string, JobHandler>> {
  return {
    retag: (job, context) => {
      const payload = job.payload as RetagJobPayload;
      return engine.tagging.retag({
        tenantId: job.tenantId,
        jobId: job.id,
        concurrency: engine.concurrency,
        ...payload,
        ...context,
      });
    },
  };
}
