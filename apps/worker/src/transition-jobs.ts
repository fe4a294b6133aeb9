import type { BackfillReport, Engine, PlannedPreview } from '@earmark/engine';
import type { JobHandler } from '@earmark/platform';

/** What a `preview` job does: renders a planned transition. */
export type PreviewJobPayload = Pick<PlannedPreview, 'key' | 'task'>;

/** The kinds of jobs on transitions: `preview`, `analyze`. */
export function transitionJobs(engine: Engine): Readonly<Record<string, JobHandler>> {
  const { transitions } = engine;
  return {
    preview: async (job, { signal }) => {
      const { key, task } = job.payload as PreviewJobPayload;
      await transitions.previews.keep(job.tenantId, { key, task }, signal);
      return { preview: `/v1/previews/${key}.${task.format}` };
    },
    analyze: (job, context): Promise<BackfillReport> =>
      transitions.backfill({ tenantId: job.tenantId, concurrency: engine.concurrency, ...context }),
  };
}
