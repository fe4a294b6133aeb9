import type { TenantId, TrackId } from '@earmark/kernel';
import type { PgTrackAudioStore } from '@earmark/storage';
import { constants } from 'node:fs';
import { access, copyFile, link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

const folder = 'audio';

/** Knows where the audio of tracks can be read again, and keeps copies of what was uploaded. */
export class AudioPlaces {
  constructor(
    private readonly store: PgTrackAudioStore,
    private readonly dataDir: string,
  ) {}

  /** Path of a track's audio that this process can read; absent if there is none. */
  async readable(tenantId: TenantId, trackId: TrackId): Promise<string | undefined> {
    const place = await this.store.find(tenantId, trackId);
    if (place === undefined) return undefined;
    const path = place.kept ? join(this.dataDir, place.path) : place.path;
    try {
      await access(path, constants.R_OK);
      return path;
    } catch {
      return undefined;
    }
  }

  /** Notes that a track's audio stays where its owner has it. */
  note(tenantId: TenantId, trackId: TrackId, path: string): Promise<void> {
    return this.store.save(tenantId, trackId, { path: resolve(path), kept: false });
  }

  /**
   * Keeps a copy of a file that will go: a hard link where the file system can, under the hash of its bytes, so that equal
   * files are kept once.
   */
  async keep(tenantId: TenantId, trackId: TrackId, path: string, contentHash: string): Promise<void> {
    const place = join(folder, contentHash.slice(0, 2), contentHash);
    const target = join(this.dataDir, place);
    await mkdir(dirname(target), { recursive: true });
    try {
      await link(path, target);
    } catch (error) {
      if (!isExisting(error)) {
        const unfinished = `${target}.${process.pid}`;
        await copyFile(path, unfinished);
        await rename(unfinished, target);
      }
    }
    await this.store.save(tenantId, trackId, { path: place, kept: true });
  }

  /** Call before a track is removed; what this gives removes the copy that no other track needs, once the track is gone. */
  async beforeRemoval(tenantId: TenantId, trackId: TrackId): Promise<() => Promise<void>> {
    const place = await this.store.find(tenantId, trackId);
    return async () => {
      if (place?.kept === true && !(await this.store.isKept(place.path))) {
        await rm(join(this.dataDir, place.path), { force: true });
      }
    };
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
