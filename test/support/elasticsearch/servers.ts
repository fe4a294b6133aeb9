import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A version of the server with a JDK of this machine that can run it. */
export type ElasticsearchServer = Readonly<{ version: string; javaHome: string }>;

const machineFolder = '/usr/lib/jvm';

/**
 * Versions of Elasticsearch that this machine's JDKs can run: 8.19 on Java 17 and later, 9.2 on Java 21 and later. Each
 * line of the server that Earmark supports is tested where it can be.
 *
 * @throws {Error} when there is no JDK at all
 */
export function availableServers(): readonly ElasticsearchServer[] {
  const homes = existsSync(machineFolder)
    ? readdirSync(machineFolder).map((name) => join(machineFolder, name))
    : [];
  const { JAVA_HOME: named } = process.env;
  const jdks = [...(named === undefined ? [] : [named]), ...homes]
    .filter((home) => existsSync(join(home, 'bin/javac')))
    .map((javaHome) => ({ javaHome, major: majorOf(javaHome) }));
  const oldest = jdks.filter(({ major }) => major >= 17).toSorted((a, b) => a.major - b.major)[0];
  const newest = jdks.filter(({ major }) => major >= 21).toSorted((a, b) => b.major - a.major)[0];
  if (oldest === undefined) throw new Error('no JDK 17 or later: install openjdk-17-jdk-headless and maven');
  return [
    { version: '8.19.0', javaHome: oldest.javaHome },
    ...(newest === undefined ? [] : [{ version: '9.2.0', javaHome: newest.javaHome }]),
  ];
}

function majorOf(javaHome: string): number {
  const text = execFileSync(join(javaHome, 'bin/javac'), ['-version'], { encoding: 'utf8' });
  return Number(/(\d+)/.exec(text)?.[1] ?? 0);
}
