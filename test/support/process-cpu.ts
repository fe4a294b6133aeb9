import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second of /proc, the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time that a process has used since it began, user and system, ms; 0 if it has ended. Linux only. */
export function cpuMsOf(pid: number): number {
  return cpuMsOfStat(`/proc/${pid}/stat`);
}

/** CPU time of the thread that a process began with, ms. */
export function mainThreadCpuMsOf(pid: number): number {
  return cpuMsOfStat(`/proc/${pid}/task/${pid}/stat`);
}

/** CPU time of the processes that a process started and that still run, ms. */
export function childrenCpuMsOf(pid: number): number {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => statFieldsOf(`/proc/${child}/stat`)[1] === String(pid));
  return children.reduce((sum, child) => sum + cpuMsOf(child), 0);
}

/** Memory of a process that is in use now, and the most that it ever was, MB. */
export function memoryMbOf(pid: number): Readonly<{ residentMb: number; peakMb: number }> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string): number =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1000);
  return { residentMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}

function cpuMsOfStat(path: string): number {
  const fields = statFieldsOf(path);
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1000) / ticksPerSecond;
}

/** Fields after the name, which may hold spaces: state, parent, ... */
function statFieldsOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return []; // ended meanwhile
  }
}
