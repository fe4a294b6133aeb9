import * as fs from 'node:fs';
import { IndexCorruptError, IndexStateError } from '../errors.js';
import { closeSegments, followLog, loadIndex, type LoadedIndex } from './index-loader.js';
import type { IndexState } from './index-state.js';
import { manifestPath, readManifest } from './manifest.js';
import type { PageCache } from './page-cache.js';

/** Times that a folder is read again when the writer changed it under the reader. */
const attempts = 8;

/** Reads an index folder that another process may be writing: a snapshot, brought up to date on demand. */
export class IndexFollower {
  private loaded: LoadedIndex;
  /** Which manifest file `loaded` comes from; a new one has another inode or time. */
  private version: string;

  private constructor(
    private readonly directory: string,
    private readonly configId: string,
    private readonly cache: PageCache,
    loaded: LoadedIndex,
    version: string,
  ) {
    this.loaded = loaded;
    this.version = version;
  }

  /** @throws {IndexStateError} when there is no index in the folder */
  static open(directory: string, configId: string, cache: PageCache): IndexFollower {
    const version = manifestVersion(directory);
    const loaded = load(directory, configId, cache);
    if (!loaded) throw new IndexStateError(`there is no index in ${directory}`);
    return new IndexFollower(directory, configId, cache, loaded, version);
  }

  get state(): IndexState {
    return this.loaded.state;
  }

  /** Takes in what was written since the last look; with nothing new it costs three system calls. */
  refresh(): void {
    const version = manifestVersion(this.directory);
    const { loaded } = this;
    if (version === this.version) {
      try {
        const log = followLog(this.directory, this.configId, loaded.log, loaded.state);
        this.loaded = { ...loaded, log };
        return;
      } catch (error) {
        // The writer may have moved on between the two reads; loading afresh tells that from damage.
        if (!(error instanceof IndexCorruptError)) throw error;
      }
    }
    const fresh = load(this.directory, this.configId, this.cache, loaded);
    if (!fresh) throw new IndexStateError(`there is no index in ${this.directory} any more`);
    this.loaded = fresh;
    this.version = version;
    closeSegments(loaded.state);
  }

  close(): void {
    closeSegments(this.loaded.state);
  }
}

/** Tells manifest files apart; taken before reading, so that a change in between is noticed the next time. */
function manifestVersion(directory: string): string {
  const stat = fs.statSync(manifestPath(directory), { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : '';
}

/** Loads, again if the writer replaced files meanwhile. */
function load(
  directory: string,
  configId: string,
  cache: PageCache,
  previous?: LoadedIndex,
): LoadedIndex | undefined {
  const reuse = new Map(previous?.state.segments.map(({ reader }) => [reader.name, reader]));
  for (let attempt = 1; ; attempt++) {
    const before = readManifest(directory, configId)?.generation;
    try {
      return loadIndex(directory, configId, cache, reuse);
    } catch (error) {
      const changed = readManifest(directory, configId)?.generation !== before;
      if (!changed || attempt === attempts) throw error;
    }
  }
}
