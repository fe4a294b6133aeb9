import type { TrackAnalysis } from '@earmark/analysis';
import type { TagResult } from '@earmark/tagging';
import type { TrackProfile } from '@earmark/transition';
import type { PreviewTask } from './transition/preview-task.js';
import type { SpeechMusicRange } from './speech-music.js';
import type { SeamWindow } from './window-capture.js';

/** What a listening thread is started with. */
export type ListenWorkerData = Readonly<{
  /** FFmpeg to use; empty: none; absent: the one on the PATH. */
  ffmpegPath?: string;
}>;

/** Which model tags, and how much is said. */
export type TagChoice = Readonly<{
  /** Folder of the tagging model. */
  modelFolder: string;
  /** Also the score of every tag, and the embedding. */
  all: boolean;
  /** Also tags without labelled data. */
  experimental: boolean;
  /** Also the outputs of the network, packed, for storing; the tags are then made from the packed ones. */
  keep?: boolean;
}>;

/** One thing to do with a file: hash its bytes, or decode it and extract peaks, analyse or tag it, or describe windows of it. */
export type ListenTask = Readonly<
  | { kind: 'hash'; path: string }
  | {
      kind: 'hear';
      path: string;
      /** Peaks to keep a band and second: index density for references, more for queries. */
      peakQuota: number;
      /** Longest audio accepted. */
      maxDurationMs: number;
      /** Also tag what is heard, from the same decode. */
      tag?: TagChoice;
      /** Also analyse it and describe where it can be entered and left, from the same decode. */
      profile?: boolean;
    }
  | {
      kind: 'analyze';
      path: string;
      maxDurationMs: number;
      /** Folder of a tagging model that also says where there is speech, music and singing. */
      modelFolder?: string;
    }
  | { kind: 'profile'; path: string; maxDurationMs: number }
  | { kind: 'windows'; path: string; windows: readonly SeamWindow[] }
  | ({ kind: 'tag'; path: string; maxDurationMs: number } & TagChoice)
  | PreviewTask
>;

/** How far a file has been heard, in milliseconds of audio; `totalMs` is 0 while unknown. */
export type ListenProgress = Readonly<{ doneMs: number; totalMs: number }>;

/** What was heard. */
export type Heard = Readonly<{
  durationMs: number;
  /** Encoded peaks. */
  peaks: Uint8Array;
  /** Less came out than the file declares. */
  partial: boolean;
  /** Nothing above -80 dBFS. */
  silent: boolean;
  warnings: readonly string[];
  /** Present when the task asked for tags. */
  tags?: TagResult;
  /** Present when the task asked to keep outputs. */
  outputs?: Uint8Array;
  /** Present when the task asked for it and the recording is no longer than a track can be. */
  profile?: TrackProfile;
}>;

/** What a model said of a file. */
export type Tagged = Readonly<{
  tags: TagResult;
  outputs?: Uint8Array;
  /** Less came out than the file declares. */
  partial?: boolean;
}>;

/** Answer to a {@link ListenTask}; a hash is the SHA-256 of the bytes, 64 hexadecimal digits. */
export type ListenAnswer = Readonly<
  | { kind: 'hash'; contentHash: string }
  | ({ kind: 'hear' } & Heard)
  | { kind: 'analyze'; analysis: TrackAnalysis; speechMusic?: readonly SpeechMusicRange[] }
  | { kind: 'profile'; profile: TrackProfile | undefined }
  | ({ kind: 'tag' } & Tagged)
  | { kind: 'windows'; rows: Float32Array }
  | { kind: 'preview' }
>;
