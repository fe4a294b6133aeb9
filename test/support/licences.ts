import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One production dependency and the licence it declares. */
export type PackageLicence = Readonly<{ name: string; version: string; licence: string }>;

const forbidden = /\b(A?GPL|SSPL|BUSL|CC-BY-NC|Elastic-2\.0|Commons-Clause|UNLICENSED)/i;

type LockEntry = { version?: string; license?: string; dev?: boolean; link?: boolean; optional?: boolean };

/**
 * Lists every production dependency of the lock file with its licence; a package that is not installed (another
 * platform's binary) counts with what the lock file says.
 *
 * @param root folder of package-lock.json and node_modules
 */
export function productionLicences(root: string): PackageLicence[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  const found: PackageLicence[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) continue;
    if (entry.dev === true || entry.link === true) continue;
    found.push({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version ?? '',
      licence: entry.license ?? licenceOfInstalled(join(root, path)),
    });
  }
  return found;
}

/** Keeps the packages whose licence is copyleft beyond the file, non-commercial, or not stated. */
export function refused(packages: readonly PackageLicence[]): PackageLicence[] {
  return packages.filter(({ licence }) => {
    if (licence === '') return true;
    const choices = licence.replace(/[()]/g, '').split(/\s+OR\s+/i);
    return choices.every((choice) => forbidden.test(choice.replace(/LGPL/gi, '')));
  });
}

function licenceOfInstalled(folder: string): string {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return '';
  const { license, licenses } = JSON.parse(readFileSync(file, 'utf8')) as {
    license?: string | { type: string };
    licenses?: { type: string }[];
  };
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? '';
}
