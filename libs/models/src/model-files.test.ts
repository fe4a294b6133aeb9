import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manifestFile } from './manifest-file.js';
import { networkOf, parseManifest, readManifest, taggerModelOf, type ModelManifest } from './manifest.js';
import { ModelError } from './model-error.js';
import {
  bundledModelsFolder,
  compareVersions,
  defaultModelId,
  findModel,
  ModelRegistry,
} from './model-registry.js';
import { TaggingSession } from './tagging-session.js';

const bundled = (await ModelRegistry.open()).find();

async function fault(work: () => unknown): Promise<ModelError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('model files', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'earmark-model-'));
    cpSync(bundled.folder, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function change(edit: (manifest: ModelManifest) => unknown): void {
    const manifest = parseManifest(readFileSync(path.join(folder, manifestFile), 'utf8'), folder);
    writeFileSync(path.join(folder, manifestFile), JSON.stringify(edit(manifest)));
  }

  it('finds the bundled tagger', () => {
    expect(bundled.id).toBe(defaultModelId);
    expect(bundled.folder.startsWith(bundledModelsFolder)).toBe(true);
  });

  it('holds several versions side by side and takes the newest unless one is named', async () => {
    change((manifest) => ({ ...manifest, version: '10.0.0' }));
    const registry = await ModelRegistry.open([folder]);
    expect(registry.find().version).toBe('10.0.0');
    expect(registry.find(`${defaultModelId}@${bundled.version}`).folder).toBe(bundled.folder);
    expect(registry.problems).toEqual([]);
  });

  it('orders versions by number, not by text', () => {
    expect(['1.10.0', '1.9.3', '0.20.0'].sort(compareVersions)).toEqual(['0.20.0', '1.9.3', '1.10.0']);
  });

  it('names the models at hand when there is none of that name', async () => {
    const registry = await ModelRegistry.open();
    const error = await fault(() => registry.find('other@1.0.0'));
    expect(error.code).toBe('model.not-found');
    expect(error.message).toContain(`${bundled.id}@${bundled.version}`);
  });

  it('lists a broken folder among the problems and keeps the others', async () => {
    writeFileSync(path.join(folder, manifestFile), '{');
    const registry = await ModelRegistry.open([folder, path.join(folder, 'absent')]);
    expect(registry.find().folder).toBe(bundled.folder);
    expect(registry.problems.map(({ code }) => code)).toEqual(['model.bad-manifest', 'model.not-found']);
  });

  it('refuses two different models under one id and version', async () => {
    change((manifest) => ({ ...manifest, sha256: 'ab'.repeat(32) }));
    expect((await ModelRegistry.open([folder])).problems.map(({ code }) => code)).toEqual([
      'model.duplicate',
    ]);
  });

  it('refuses one version with another calibration, and takes another text about it', async () => {
    change((manifest) => ({ ...manifest, parameters: 1 }));
    expect((await ModelRegistry.open([folder])).problems).toEqual([]);
    change((manifest) => ({
      ...manifest,
      tags: manifest.tags.map((tag) => ({ ...tag, threshold: 0.9 })),
    }));
    expect((await ModelRegistry.open([folder])).problems.map(({ code }) => code)).toEqual([
      'model.duplicate',
    ]);
    expect(networkOf(await readManifest(folder))).toBe(networkOf(bundled.manifest));
  });

  it('reads the model in a folder when a path is given', async () => {
    change((manifest) => ({ ...manifest, id: 'mine', version: '3.1.4' }));
    const registry = await ModelRegistry.open();
    expect(await findModel(registry, folder)).toMatchObject({ id: 'mine', version: '3.1.4', folder });
    expect(await findModel(registry)).toEqual(bundled);
    expect((await fault(() => findModel(registry, `${folder}/absent`))).code).toBe('model.not-found');
  });

  it('names every field of a manifest that breaks the rules', async () => {
    change((manifest) => ({
      ...manifest,
      schemaVersion: 2,
      sha256: 'xyz',
      frontEnd: { ...manifest.frontEnd, window: 'hamming' },
    }));
    const error = await fault(() => readManifest(folder));
    expect(error.code).toBe('model.bad-manifest');
    for (const pointer of ['/schemaVersion', '/sha256', '/frontEnd/window'])
      expect(error.message).toContain(pointer);
  });

  it('refuses a manifest whose parts do not fit each other', async () => {
    change((manifest) => ({ ...manifest, tags: manifest.tags.slice(1) }));
    expect((await fault(() => readManifest(folder))).message).toContain('/outputs/logits/size');
  });

  it('takes contrasts of opposed moods and leaves out those that nothing proves', async () => {
    const contrast = {
      moods: ['relaxing-calm', 'exciting-energetic'],
      weights: bundled.manifest.tags.map(() => 0.1),
      offset: 0,
      experimental: false,
      basis: 'teachers',
    };
    const unproven = { ...contrast, moods: ['happy', 'scary-dark'], experimental: true };
    change((manifest) => ({ ...manifest, version: '10.0.0', moodContrasts: [contrast, unproven] }));
    const { contrasts } = taggerModelOf(await readManifest(folder));
    expect(contrasts?.map(({ moods }) => moods)).toEqual([contrast.moods]);
    change((manifest) => ({ ...manifest, version: bundled.version }));
    expect((await ModelRegistry.open([folder])).problems.map(({ code }) => code)).toEqual([
      'model.duplicate',
    ]);
  });

  it.each([
    ['one weight a tag', { weights: [1] }],
    ['of moods among the tags', { moods: ['happy', 'jazz'] }],
  ])('refuses a contrast that does not fit: must have or be %s', async (message, wrong) => {
    const weights = bundled.manifest.tags.map(() => 0);
    const contrast = { moods: ['happy', 'sad'], weights, offset: 0, experimental: false, basis: 'teachers' };
    change((manifest) => ({ ...manifest, moodContrasts: [{ ...contrast, ...wrong }] }));
    const error = await fault(() => readManifest(folder));
    expect(error.message).toContain(message);
    expect(error.message).toContain('/moodContrasts');
  });

  it('refuses a front end that cannot be', async () => {
    change((manifest) => ({ ...manifest, frontEnd: { ...manifest.frontEnd, fMaxHz: 9000 } }));
    const error = await fault(() => TaggingSession.open(folder));
    expect(error.code).toBe('model.bad-manifest');
    expect(error.message).toContain('fMaxHz');
  });

  it('refuses a file whose hash is not the declared one', async () => {
    const file = path.join(folder, bundled.manifest.file);
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file, bytes);
    expect((await fault(() => TaggingSession.open(folder))).code).toBe('model.hash-mismatch');
  });

  it('says that the model file is missing', async () => {
    rmSync(path.join(folder, bundled.manifest.file));
    expect((await fault(() => TaggingSession.open(folder))).code).toBe('model.not-found');
  });

  it('refuses a file that is no ONNX model though its hash fits', async () => {
    writeFileSync(path.join(folder, bundled.manifest.file), 'not a model');
    const sha256 = createHash('sha256').update('not a model').digest('hex');
    change((manifest) => ({ ...manifest, sha256 }));
    expect((await fault(() => TaggingSession.open(folder))).code).toBe('model.unloadable');
  });

  it('refuses names and shapes that the graph does not have', async () => {
    change((manifest) => ({ ...manifest, input: { ...manifest.input, name: 'mel' } }));
    const name = await fault(() => TaggingSession.open(folder));
    expect(name.code).toBe('model.shape-mismatch');
    expect(name.message).toContain('log_mel');
    change((manifest) => ({
      ...manifest,
      input: { ...manifest.input, name: bundled.manifest.input.name },
      outputs: { ...manifest.outputs, embedding: { ...manifest.outputs.embedding, size: 128 } },
    }));
    expect((await fault(() => TaggingSession.open(folder))).code).toBe('model.shape-mismatch');
  });

  it('refuses a tag that the vocabulary lacks', async () => {
    change((manifest) => ({
      ...manifest,
      tags: manifest.tags.map((tag, i) => (i === 0 ? { ...tag, tag: 'vaporwave' } : tag)),
    }));
    const error = await fault(() => TaggingSession.open(folder));
    expect(error.code).toBe('model.unknown-tag');
    expect(error.message).toContain('genre/vaporwave');
  });
});
