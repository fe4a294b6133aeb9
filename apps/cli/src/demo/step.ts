import type { Engine } from '@earmark/engine';
import type { CatalogId, TrackId } from '@earmark/kernel';

/** What the steps of the demo share. */
export type DemoContext = Readonly<{
  engine: Engine;
  catalogId: CatalogId;
  /** Folder of the sample tracks and the video. */
  samplesDir: string;
  signal: AbortSignal;
  /** Title and id of each ingested track, in the order of the sample files; filled by the ingest step. */
  tracks: { title: string; trackId: TrackId }[];
  /** Prints a line. */
  say(text?: string): void;
}>;

/** One part of the demo; resolves to false when what it showed was not what it should be. */
export type DemoStep = Readonly<{ title: string; run(context: DemoContext): Promise<boolean> }>;
