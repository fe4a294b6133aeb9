import {
  decodePeaks,
  encodePeaks,
  findDuplicate,
  fingerprintConfig,
  identify,
  limitDensity,
  type PeakSource,
  ReferenceCache,
  scan,
  type SearchSources,
} from '@earmark/fingerprint';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { type IndexLookup, openIndexLookup } from './index-lookup.js';
import { PeaksCache } from './peaks-cache.js';
import type {
  PeaksAnswer,
  PeaksQuestion,
  SearchAnswer,
  SearchProgress,
  SearchTask,
  SearchWorkerData,
} from './search-task.js';
import { serveTasks, type TaskContext, type TaskResult } from './worker-thread.js';

/** Thread entry: searches the index for one clip or recording at a time. */

const { index, pageBytes, peaksBytes } = workerData as SearchWorkerData;
const ask = serveTasks<SearchTask, SearchAnswer, SearchProgress, PeaksQuestion, PeaksAnswer>(answer);
const cache = new PeaksCache({ findMany: ask }, peaksBytes);
const peaks: PeakSource = { peaksOf: async (trackId) => (await cache.get([trackId])).get(trackId) };
const references = new ReferenceCache(peaks);
let lookup: Promise<IndexLookup> | undefined;

async function answer(
  task: SearchTask,
  { signal, report }: TaskContext<SearchProgress>,
): Promise<TaskResult<SearchAnswer>> {
  const sources = await sourcesOf(task, signal);
  const query = decodePeaks(task.peaks);
  switch (task.kind) {
    case 'identify':
      return { result: { kind: 'identify', matches: await identify(query, sources) } };
    case 'duplicate':
      return { result: { kind: 'duplicate', trackId: (await findDuplicate(query, sources))?.trackId } };
    case 'scan': {
      const onProgress = async (doneFrames: number, totalFrames: number): Promise<void> => {
        report({ doneFrames, totalFrames });
        await nextTurn(); // a message to stop may have come
      };
      const matches = await scan(query, sources, { signal, onProgress });
      const reference = encodePeaks(limitDensity(query, fingerprintConfig.indexQuota));
      return { result: { kind: 'scan', matches, reference }, transfer: [reference.buffer as ArrayBuffer] };
    }
  }
}

async function sourcesOf({ scope }: SearchTask, signal: AbortSignal): Promise<SearchSources> {
  lookup ??= openIndexLookup(index, pageBytes, cache);
  lookup.catch(() => (lookup = undefined));
  const opened = await lookup;
  return {
    index: {
      candidates: async (landmarks, lengthFrames, k, postingBudget) => {
        await nextTurn();
        signal.throwIfAborted();
        const { tenantId, catalogIds = [] } = scope;
        const found = await opened.candidates(
          {
            tenantId,
            ...(catalogIds.length === 0 ? {} : { catalogIds }),
            landmarks,
            lengthFrames,
            ...(postingBudget === undefined ? {} : { postingBudget }),
          },
          k,
        );
        await cache.get(found.map(({ trackId }) => trackId).filter((trackId) => !references.has(trackId)));
        return found;
      },
    },
    peaks,
    references,
  };
}
