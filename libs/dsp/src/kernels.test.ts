import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { richSignal } from './fixtures/rich-signal.js';
import { createKernels } from './kernels.js';
import { PeakList } from './peak-list.js';

describe('kernels', () => {
  it('embed the WASM that the AssemblyScript source gives', () => {
    const script = fileURLToPath(new URL('../assembly/build.mjs', import.meta.url));
    const library = fileURLToPath(new URL('..', import.meta.url));
    const words = [script, library, 'kernels', 'KERNELS_BASE64', '--check'];
    expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toContain('current');
  });

  it('pick WASM where the host has SIMD', () => {
    expect(createKernels().backend).toBe('wasm');
    expect(createKernels({ backend: 'js' }).backend).toBe('js');
  });

  it('keep objects apart: interleaved streams give what each gives alone', () => {
    const kernels = createKernels();
    const signals = [richSignal(11_025, 4, 1), richSignal(11_025, 4, 2)];
    const alone = signals.map((signal) => {
      const peaks = new PeakList();
      kernels.createSpectralPeaks().process(signal, peaks);
      return peaks;
    });
    const finders = signals.map(() => kernels.createSpectralPeaks());
    const together = signals.map(() => new PeakList());
    for (let at = 0; at < signals[0].length; at += 1000) {
      signals.forEach((signal, n) => finders[n].process(signal.subarray(at, at + 1000), together[n]));
    }
    expect(together).toEqual(alone);
  });
});
