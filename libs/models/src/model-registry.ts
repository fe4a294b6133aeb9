import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { manifestFile } from './manifest-file.js';
import { readManifest, voiceOf, type ModelManifest } from './manifest.js';
import { ModelError } from './model-error.js';

/** A model that can be opened. */
export type ModelEntry = Readonly<{
  id: string;
  version: string;
  folder: string;
  manifest: ModelManifest;
}>;

/** Models that come with Earmark. */
export const bundledModelsFolder: string = fileURLToPath(new URL('../files/', import.meta.url));
/** Id of the model that is meant when none is named. */
export const defaultModelId = 'earmark-tagger';

/** The models at hand, several versions side by side. */
export class ModelRegistry {
  private constructor(
    /** By id, the newest version first. */
    readonly entries: readonly ModelEntry[],
    /** Folders that hold no usable model, and why. */
    readonly problems: readonly ModelError[],
  ) {}

  /**
   * Looks for models: in the bundled folder, then in folders of the user's. A folder is a model or holds models. A
   * broken one does not hide the others; it is listed among the problems.
   */
  static async open(userFolders: readonly string[] = []): Promise<ModelRegistry> {
    const entries = new Map<string, ModelEntry>();
    const problems: ModelError[] = [];
    for (const root of [bundledModelsFolder, ...userFolders]) {
      for (const folder of await modelFolders(root)) {
        try {
          const manifest = await readManifest(folder);
          const { id, version } = manifest;
          const name = `${id}@${version}`;
          const other = entries.get(name);
          if (other !== undefined && voiceOf(other.manifest) !== voiceOf(manifest))
            throw new ModelError('model.duplicate', folder, `${name} is already in ${other.folder}`);
          if (other === undefined) entries.set(name, { id, version, folder, manifest });
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          problems.push(error);
        }
      }
    }
    const sorted = [...entries.values()].sort(
      (x, y) => x.id.localeCompare(y.id) || compareVersions(y.version, x.version),
    );
    return new ModelRegistry(sorted, problems);
  }

  /**
   * Finds a model.
   *
   * @param reference `id@version`, or `id` for its newest version; absent: the bundled tagger
   * @throws {ModelError} `model.not-found`
   */
  find(reference: string = defaultModelId): ModelEntry {
    const found = this.entries.find(
      ({ id, version }) => reference === id || reference === `${id}@${version}`,
    );
    if (found !== undefined) return found;
    const known = this.entries.map(({ id, version }) => `${id}@${version}`).join(', ');
    throw new ModelError('model.not-found', reference, `no such model; at hand: ${known || 'none'}`);
  }
}

/**
 * Finds a model by name, or reads the one in a folder.
 *
 * @param reference as for {@link ModelRegistry.find}, or a path: a text with a slash
 * @throws {ModelError} `model.not-found`, or `model.bad-manifest` for a folder
 */
export async function findModel(registry: ModelRegistry, reference?: string): Promise<ModelEntry> {
  if (reference === undefined || !/[/\\]/.test(reference)) return registry.find(reference);
  const manifest = await readManifest(reference);
  return { id: manifest.id, version: manifest.version, folder: path.resolve(reference), manifest };
}

/** Orders semantic versions `major.minor.patch`. */
export function compareVersions(x: string, y: string): number {
  const [a, b] = [x, y].map((version) => version.split('.').map(Number));
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

async function modelFolders(root: string): Promise<readonly string[]> {
  if (existsSync(path.join(root, manifestFile))) return [root];
  const inside = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = inside
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => path.join(root, name))
    .filter((folder) => existsSync(path.join(folder, manifestFile)))
    .sort();
  return folders.length > 0 || root === bundledModelsFolder ? folders : [root];
}
