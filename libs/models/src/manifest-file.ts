import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { ModelError } from './model-error.js';

/** Name of the manifest in a model's folder. */
export const manifestFile = 'manifest.json';

/**
 * Reads and checks the manifest in a model's folder; the model itself is not touched.
 *
 * @throws {ModelError} `model.not-found` without one, `model.bad-manifest` for one that breaks the rules, each named
 */
export async function readManifestFile<Schema extends z.ZodType>(
  folder: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  let text: string;
  try {
    text = await readFile(path.join(folder, manifestFile), 'utf8');
  } catch (cause) {
    throw new ModelError('model.not-found', folder, `no readable ${manifestFile}`, { cause });
  }
  return parseManifestText(text, folder, schema);
}

/**
 * Checks the text of a manifest.
 *
 * @param folder named in errors
 * @throws {ModelError} `model.bad-manifest`
 */
export function parseManifestText<Schema extends z.ZodType>(
  text: string,
  folder: string,
  schema: Schema,
): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModelError('model.bad-manifest', folder, `${manifestFile} is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`);
  throw new ModelError('model.bad-manifest', folder, faults.slice(0, 8).join('; '));
}
