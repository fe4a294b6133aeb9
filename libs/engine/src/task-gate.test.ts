import { describe, expect, it } from 'vitest';
import { EngineBusyError, TaskGate } from './task-gate.js';

/** A task that ends when told to, and says whether it has begun. */
function heldTask(): { work: () => Promise<string>; end: () => void; begun: () => boolean } {
  let begun = false;
  let end = (): void => undefined;
  const held = new Promise<void>((resolve) => (end = resolve));
  const work = async (): Promise<string> => {
    begun = true;
    await held;
    return 'done';
  };
  return { work, end, begun: () => begun };
}

describe('a gate for tasks', () => {
  it('runs as many at a time as it may, the others in order', async () => {
    const gate = new TaskGate(2);
    const tasks = [heldTask(), heldTask(), heldTask(), heldTask()];
    const runs = tasks.map(({ work }) => gate.run(work));
    expect(tasks.map(({ begun }) => begun())).toEqual([true, true, false, false]);
    tasks[1]?.end();
    await expect(runs[1]).resolves.toBe('done');
    expect(tasks.map(({ begun }) => begun())).toEqual([true, true, true, false]);
    for (const { end } of tasks) end();
    await expect(Promise.all(runs)).resolves.toHaveLength(4);
  });

  it('refuses what would wait behind too many', async () => {
    const gate = new TaskGate(1, 1);
    const [first, second] = [heldTask(), heldTask()];
    const runs = [gate.run(first.work), gate.run(second.work)];
    await expect(gate.run(() => Promise.resolve())).rejects.toThrow(EngineBusyError);
    first.end();
    second.end();
    await Promise.all(runs);
    await expect(gate.run(() => Promise.resolve('again'))).resolves.toBe('again');
  });

  it('lets go of who no longer waits, and goes on after a failure', async () => {
    const gate = new TaskGate(1);
    const first = heldTask();
    const running = gate.run(first.work);
    const given = new AbortController();
    const left = gate.run(() => Promise.resolve('never'), given.signal);
    const failing = gate.run(() => Promise.reject(new Error('broken')));
    given.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    first.end();
    await running;
    await expect(failing).rejects.toThrow('broken');
    await expect(gate.run(() => Promise.resolve('free'))).resolves.toBe('free');
  });
});
