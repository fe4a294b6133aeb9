import { resolve } from 'node:path';
import type { EngineSettings } from '@earmark/engine';
import { engineSettingsFrom } from '@earmark/engine';
import type { Arguments } from './command.js';

/** Default of `--data-dir`, in the folder where the command runs. */
export const defaultDataDir = '.earmark';

/** Settings of the engine: `--data-dir` and the environment (README, "Configuration"). */
export function readSettings(args: Arguments): EngineSettings {
  const dataDir = args.text('data-dir') ?? process.env['EARMARK_DATA_DIR'] ?? defaultDataDir;
  return { ...engineSettingsFrom(process.env), dataDir: resolve(dataDir) };
}
