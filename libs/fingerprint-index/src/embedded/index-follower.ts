import { IndexCorruptError, IndexStateError } from '../errors.js';
import { closeSegments, followLog, loadIndex, type LoadedIndex } from './index-loader.js';
import type { IndexState } from './index-state.js';
import { readManifest } from './manifest.js';
import type { PageCache } from './page-cache.js';

/** Times that a folder is read again when the writer changed it under the reader. */
const attempts = 8;

/** Reads an index folder that another process may be writing: a snapshot, brought up to date on demand. */
export class IndexFollower {
  private loaded: LoadedIndex;

  private constructor(
    private readonly directory: string,
    private readonly configId: string,
    private readonly cache: PageCache,
    loaded: LoadedIndex,
  ) {
    this.loaded = loaded;
  }

  /** @throws {IndexStateError} when there is no index in the folder */
  static open(directory: string, configId: string, cache: PageCache): IndexFollower {
    const loaded = load(directory, configId, cache);
    if (!loaded) throw new IndexStateError(`there is no index in ${directory}`);
    return new IndexFollower(directory, configId, cache, loaded);
  }

  get state(): IndexState {
    return this.loaded.state;
  }

  /** Takes in what was written since the last look. */
  refresh(): void {
    const manifest = readManifest(this.directory, this.configId);
    const { loaded } = this;
    if (manifest && manifest.generation === loaded.manifest.generation) {
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
    closeSegments(loaded.state);
  }

  close(): void {
    closeSegments(this.loaded.state);
  }
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
