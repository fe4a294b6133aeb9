import { DomainError, type TenantId } from '@earmark/kernel';
import { neededParts, type MixPlan } from '@earmark/transition';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Listener } from '../listener.js';
import type { AudioPlaces } from './audio-places.js';
import type { HeadSource } from './head-source.js';
import { joinPair } from './join-pair.js';
import type { PreviewFormat, PreviewTask } from './preview-task.js';
import type { TailSource } from './tail-source.js';
import type { PreviewRequest, TransitionTo } from './transition-types.js';
import type { TransitionModel } from '@earmark/transition';

/** A preview of tracks whose audio is nowhere to be read. */
export class TrackAudioGoneError extends DomainError {
  readonly code = 'transition.audio-gone';
}

/** A preview that is planned: how it will sound, and the name under which it is kept. */
export type PlannedPreview = Readonly<{
  /** 64 hexadecimal digits: equal for equal sound. */
  key: string;
  plan: MixPlan;
  task: Omit<PreviewTask, 'kind' | 'out'>;
}>;

/** Changes when the same plan would sound otherwise. */
const rendererVersion = 1;
const folder = 'previews';
const span = { leadMs: 12_000, tailMs: 12_000 };
/** Kept this long after they were last asked for. */
const keptMs = 7 * 86_400_000;

/** Plans, renders and keeps previews of transitions. */
export class Previews {
  constructor(
    private readonly parts: Readonly<{
      tails: TailSource;
      heads: HeadSource;
      audio: AudioPlaces;
      listener: Listener;
      model: TransitionModel;
      dataDir: string;
    }>,
  ) {}

  /**
   * Plans a preview.
   *
   * @throws {NotAnalyzedError} `transition.not-analyzed`
   * @throws {TrackAudioGoneError} `transition.audio-gone`
   */
  async plan(request: PreviewRequest): Promise<PlannedPreview> {
    const { tenantId, from, to, constraints = {}, format = 'wav', signal } = request;
    const [fromPath, toPath] = await Promise.all([this.#pathOf(tenantId, from), this.#pathOf(tenantId, to)]);
    const tail = await this.parts.tails.resolve(tenantId, from, constraints, signal);
    const head = await this.parts.heads.resolve(tenantId, to, tail, constraints, signal);
    const { plan } = joinPair(this.parts.model, tail, head, constraints, from.atMs);
    const parts = neededParts(plan, span);
    const task = {
      plan,
      span,
      format,
      from: { path: fromPath, ...parts.from },
      to: { path: toPath, ...parts.to },
    };
    const names = [from, to].map((side) => ('trackId' in side ? side.trackId : side.path));
    const key = createHash('sha256')
      .update(JSON.stringify([rendererVersion, tenantId, names, plan, span, format]))
      .digest('hex');
    return { key, plan, task };
  }

  /** Renders a planned preview into a file. */
  async render({ task }: Pick<PlannedPreview, 'task'>, out: string, signal?: AbortSignal): Promise<void> {
    await this.parts.listener.preview({ ...task, out }, { signal });
  }

  /** Path of a kept preview; absent if it has not been rendered, or was swept. */
  async kept(tenantId: TenantId, key: string, format: PreviewFormat): Promise<string | undefined> {
    const path = this.#placeOf(tenantId, key, format);
    try {
      await access(path);
      const now = new Date();
      await utimes(path, now, now);
      return path;
    } catch {
      return undefined;
    }
  }

  /** Renders a planned preview unless it is kept; resolves to its path. */
  async keep(
    tenantId: TenantId,
    { key, task }: Pick<PlannedPreview, 'key' | 'task'>,
    signal?: AbortSignal,
  ): Promise<string> {
    const known = await this.kept(tenantId, key, task.format);
    if (known !== undefined) return known;
    const path = this.#placeOf(tenantId, key, task.format);
    await mkdir(dirname(path), { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    try {
      await this.render({ task }, unfinished, signal);
      await rename(unfinished, path);
    } finally {
      await rm(unfinished, { force: true });
    }
    return path;
  }

  /** Removes previews that nobody asked for in a week, and what a crash left. @param nowMs time of day */
  async sweep(nowMs: number): Promise<void> {
    const root = join(this.parts.dataDir, folder);
    const files = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const file of files) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      const { mtimeMs } = await stat(path);
      if (nowMs - mtimeMs > keptMs) await rm(path, { force: true });
    }
  }

  #placeOf(tenantId: TenantId, key: string, format: PreviewFormat): string {
    return join(this.parts.dataDir, folder, tenantId, `${key}.${format}`);
  }

  async #pathOf(tenantId: TenantId, side: TransitionTo): Promise<string> {
    if ('path' in side) return side.path;
    const path = await this.parts.audio.readable(tenantId, side.trackId);
    if (path === undefined) {
      throw new TrackAudioGoneError(`the audio of ${side.trackId} is neither where it was nor kept`);
    }
    return path;
  }
}
