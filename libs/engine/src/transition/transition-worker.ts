import { openDatabase } from '@earmark/storage';
import { workerData } from 'node:worker_threads';
import { serveTasks, type TaskResult } from '../worker-thread.js';
import { type AnswerParts, TransitionAnswers } from './transition-answers.js';
import type {
  HearingAnswer,
  HearingQuestion,
  TransitionAnswer,
  TransitionQuestion,
  TransitionTask,
  TransitionWorkerData,
} from './transition-task.js';

/** Thread entry: answers questions about transitions from the database and an index of its own. */

/** A question asks two things at once. */
const maxConnections = 3;
const { dataDir, databaseUrl, kept, headCluster } = workerData as TransitionWorkerData;
const ask = serveTasks<TransitionQuestion, TransitionAnswer, never, HearingQuestion, HearingAnswer>(answer);
const listener: AnswerParts['listener'] = {
  async profile(path) {
    const heard = await ask({ kind: 'profile', path });
    if (heard.kind !== 'profile') throw new TypeError(`asked for a profile, answered ${heard.kind}`);
    return heard.profile;
  },
  async windows(path, windows) {
    const heard = await ask({ kind: 'windows', path, windows });
    if (heard.kind !== 'windows') throw new TypeError(`asked for windows, answered ${heard.kind}`);
    return heard.rows;
  },
};
let opened: Promise<TransitionAnswers> | undefined;
let changesSeen = 0;

async function answer({ task, changes }: TransitionQuestion): Promise<TaskResult<TransitionAnswer>> {
  opened ??= open();
  opened.catch(() => (opened = undefined));
  const answers = await opened;
  if (changes > changesSeen) answers.expire();
  changesSeen = changes;
  if (task.kind !== 'next') return { result: await answerInFull(answers, task) };
  const json = new TextEncoder().encode(JSON.stringify(await answers.next(task.request)));
  return { result: { kind: 'next', json }, transfer: [json.buffer] };
}

async function answerInFull(
  answers: TransitionAnswers,
  task: Exclude<TransitionTask, { kind: 'next' }>,
): Promise<TransitionAnswer> {
  switch (task.kind) {
    case 'warm-up':
      await answers.warmUp();
      return { kind: 'warm-up' };
    case 'score':
      return { kind: 'score', pairs: await answers.score(task.request) };
    case 'sequence':
      return { kind: 'sequence', sequence: await answers.sequence(task.request) };
  }
}

async function open(): Promise<TransitionAnswers> {
  const database = await openDatabase({
    dataDir,
    maxConnections,
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
  return new TransitionAnswers({
    database,
    listener,
    dataDir,
    kept,
    ...(headCluster !== undefined && { headCluster }),
  });
}
