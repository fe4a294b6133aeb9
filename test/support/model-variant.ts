import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelRegistry, type ModelManifest } from '@earmark/models';

/** How a variant differs from the shipped model. */
export type Variant = Readonly<{
  version: string;
  /** Changes the manifest: another calibration, another threshold, or something that does not fit. */
  edit?: (manifest: ModelManifest) => unknown;
  /** Also changes weights in the last bit: another network that hears nearly the same. */
  otherNetwork?: boolean;
}>;

/** Makes a folder with a real second model: the shipped one, changed. The caller removes it. */
export async function makeModelVariant({ version, edit, otherNetwork = false }: Variant): Promise<string> {
  const { folder, manifest } = (await ModelRegistry.open()).find();
  const copy = mkdtempSync(join(tmpdir(), 'earmark-variant-'));
  cpSync(folder, copy, { recursive: true });
  let changed: ModelManifest = { ...manifest, version };
  if (otherNetwork) {
    const network = readFileSync(join(copy, manifest.file));
    // The bulk of the file is raw float16 weights, little endian: even bytes are low ones.
    const middle = 2 * Math.floor(network.length / 4);
    for (let at = middle; at < middle + 2000; at += 2) network[at] = (network[at] ?? 0) ^ 1;
    writeFileSync(join(copy, manifest.file), network);
    changed = { ...changed, sha256: createHash('sha256').update(network).digest('hex') };
  }
  writeFileSync(join(copy, 'manifest.json'), JSON.stringify(edit === undefined ? changed : edit(changed)));
  return copy;
}

/** A model that no longer says instruments. */
export const withoutInstruments = (manifest: ModelManifest): ModelManifest => ({
  ...manifest,
  tags: manifest.tags.map((tag) => (tag.facet === 'instrument' ? { ...tag, threshold: 1 } : tag)),
});
