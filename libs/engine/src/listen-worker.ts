import { analysisRateHz, TrackAnalyzer } from '@earmark/analysis';
import { fingerprintConfig, encodePeaks, PeakExtractor } from '@earmark/fingerprint';
import {
  hashFile,
  listen,
  locateFfmpeg,
  type MediaDecoder,
  openMediaDecoder,
  type Consumer,
} from '@earmark/media';
import { BeatSession, Tagger, TaggingSession } from '@earmark/models';
import { decodeOutputs, encodeOutputs, tagTrack } from '@earmark/tagging';
import { transitionRateHz } from '@earmark/transition';
import { workerData } from 'node:worker_threads';
import type {
  Heard,
  ListenAnswer,
  ListenProgress,
  ListenTask,
  ListenWorkerData,
  TagChoice,
  Tagged,
} from './listen-task.js';
import { renderPreview } from './transition/preview-task.js';
import { speechMusicOf } from './speech-music.js';
import { startProfile } from './transition/profile-consumers.js';
import { WindowCapture } from './window-capture.js';
import { serveTasks, type TaskContext } from './worker-thread.js';

/** Thread entry: decodes one file at a time and answers with its peaks. */

const progressStepMs = 5000;
const { ffmpegPath } = workerData as ListenWorkerData;
let decoder: Promise<MediaDecoder> | undefined;
const sessions = new Map<string, Promise<TaggingSession>>();
let beats: Promise<BeatSession | undefined> | undefined;

serveTasks<ListenTask, ListenAnswer, ListenProgress>(async (task, context) => {
  const result = await answer(task, context);
  return { result, transfer: result.kind === 'hear' ? [result.peaks.buffer as ArrayBuffer] : [] };
});

async function answer(
  task: ListenTask,
  { signal, report }: TaskContext<ListenProgress>,
): Promise<ListenAnswer> {
  switch (task.kind) {
    case 'hash':
      return { kind: 'hash', contentHash: await hashFile(task.path, signal) };
    case 'analyze':
      return { kind: 'analyze', ...(await analyze(task, signal)) };
    case 'profile': {
      const profiling = startProfile(await openBeats());
      const { maxDurationMs } = task;
      await listen(await openDecoder(), task.path, profiling.consumers, { signal, maxDurationMs });
      return { kind: 'profile', profile: await profiling.finish() };
    }
    case 'preview':
      await renderPreview(await openDecoder(), task, await findFfmpeg(), signal);
      return { kind: 'preview' };
    case 'windows':
      return { kind: 'windows', rows: await describeWindows(task, signal) };
    case 'tag':
      return { kind: 'tag', ...(await tag(task, signal)) };
    case 'hear':
      return { kind: 'hear', ...(await hear(task, signal, report)) };
  }
}

async function hear(
  task: Extract<ListenTask, { kind: 'hear' }>,
  signal: AbortSignal,
  report: (progress: ListenProgress) => void,
): Promise<Heard> {
  const extractor = new PeakExtractor(task.peakQuota);
  let samples = 0;
  let reportedMs = 0;
  const peaks: Consumer = {
    sampleRateHz: fingerprintConfig.sampleRateHz,
    channels: 1,
    push([mono]) {
      if (mono === undefined) return;
      extractor.push(mono);
      samples += mono.length;
      const doneMs = (samples / fingerprintConfig.sampleRateHz) * 1000;
      if (doneMs - reportedMs < progressStepMs) return;
      reportedMs = doneMs;
      report({ doneMs, totalMs: 0 });
    },
  };
  const tagging = task.tag === undefined ? undefined : await startTagging(task.tag);
  const profiling = task.profile === true ? startProfile(await openBeats()) : undefined;
  const consumers = [peaks, ...(tagging ? [tagging.consumer] : []), ...(profiling?.consumers ?? [])];
  const { maxDurationMs } = task;
  const summary = await listen(await openDecoder(), task.path, consumers, { signal, maxDurationMs });
  const profile = await profiling?.finish();
  return {
    ...(await tagging?.finish()),
    ...(profile === undefined ? {} : { profile }),
    durationMs: summary.decodedMs,
    peaks: encodePeaks(extractor.finish()),
    partial: summary.partial,
    silent: summary.silent,
    warnings: summary.warnings,
  };
}

async function analyze(
  task: Extract<ListenTask, { kind: 'analyze' }>,
  signal: AbortSignal,
): Promise<Omit<Extract<ListenAnswer, { kind: 'analyze' }>, 'kind'>> {
  const opened = await openDecoder();
  const options = { signal, maxDurationMs: task.maxDurationMs };
  const info = await opened.probe(task.path, options);
  const channels = info.channels === 1 ? 1 : 2;
  const analyzer = new TrackAnalyzer(info.sampleRateHz, channels);
  const consumers: Consumer[] = [
    { sampleRateHz: info.sampleRateHz, channels, push: (samples) => analyzer.pushChannels(samples) },
    { sampleRateHz: analysisRateHz, channels: 1, push: ([mono]) => mono && analyzer.pushMono(mono) },
  ];
  const tagging =
    task.modelFolder === undefined
      ? undefined
      : await startTagging({ modelFolder: task.modelFolder, all: false, experimental: true });
  if (tagging !== undefined) consumers.push(tagging.consumer);
  await listen(opened, task.path, consumers, options);
  const network = await openBeats();
  const analysis = network === undefined ? analyzer.finish() : await analyzer.finishWith(network);
  if (tagging === undefined) return { analysis };
  return { analysis, speechMusic: speechMusicOf((await tagging.finish()).tags) };
}

async function tag(task: Extract<ListenTask, { kind: 'tag' }>, signal: AbortSignal): Promise<Tagged> {
  const { consumer, finish } = await startTagging(task);
  const { maxDurationMs } = task;
  const { partial } = await listen(await openDecoder(), task.path, [consumer], { signal, maxDurationMs });
  return { ...(await finish()), ...(partial && { partial }) };
}

async function startTagging({
  modelFolder,
  all,
  experimental,
  keep,
}: TagChoice): Promise<{ consumer: Consumer; finish: () => Promise<Tagged> }> {
  const session = await openSession(modelFolder);
  const tagger = new Tagger(session);
  return {
    consumer: {
      sampleRateHz: tagger.sampleRateHz,
      channels: 1,
      push: ([mono]) => mono && tagger.push(mono),
    },
    finish: async () => {
      const heard = await tagger.finish();
      const options = { all, experimental };
      if (keep !== true) return { tags: tagTrack(session.model, heard, options) };
      const outputs = encodeOutputs(heard);
      return { tags: tagTrack(session.model, decodeOutputs(outputs), options), outputs };
    },
  };
}

async function describeWindows(
  task: Extract<ListenTask, { kind: 'windows' }>,
  signal: AbortSignal,
): Promise<Float32Array> {
  const capture = new WindowCapture(task.windows);
  const consumer: Consumer = {
    sampleRateHz: transitionRateHz,
    channels: 1,
    push: ([mono]) => mono && capture.push(mono),
  };
  await listen(await openDecoder(), task.path, [consumer], { signal });
  return capture.finish();
}

/** The beat network; absent where its runtime does not load: analysis then scores beats by itself. */
function openBeats(): Promise<BeatSession | undefined> {
  beats ??= BeatSession.open().catch(() => undefined);
  return beats;
}

function openSession(folder: string): Promise<TaggingSession> {
  let session = sessions.get(folder);
  if (session === undefined) {
    session = TaggingSession.open(folder);
    sessions.set(folder, session);
    session.catch(() => sessions.delete(folder));
  }
  return session;
}

async function findFfmpeg(): Promise<string | undefined> {
  if (ffmpegPath === '') return undefined;
  return (await locateFfmpeg(ffmpegPath))?.ffmpeg;
}

function openDecoder(): Promise<MediaDecoder> {
  const choice = ffmpegPath === '' ? ({ prefer: 'wasm' } as const) : {};
  decoder ??= openMediaDecoder(ffmpegPath ? { ffmpegPath } : choice);
  return decoder;
}
