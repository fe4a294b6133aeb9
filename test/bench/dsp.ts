// Speed and exactness of @earmark/dsp on this machine: node test/bench/dsp.ts (after npm run build).
//
// Speed is seconds of audio for a second of one core, by wall clock, as median and best of many short runs: on a shared
// machine the best one is the kernel's own speed, the median what was left of the core.
import { createKernels, PeakList, Resampler, type Backend } from '@earmark/dsp';

type Case = Readonly<{ name: string; audioSeconds: number; run: (backend: Backend) => () => void }>;

const noise = seededNoise(1);
const music = Float32Array.from({ length: 48_000 * 5 }, (_, n) => {
  const decay = Math.exp((-6 * (n % 11_025)) / 11_025);
  return 0.05 * noise() + 0.3 * decay * Math.sin((2 * Math.PI * (300 + 0.01 * n) * n) / 44_100);
});

const cases: readonly Case[] = [
  ...(
    [
      [44_100, 11_025],
      [48_000, 11_025],
      [44_100, 16_000],
      [48_000, 16_000],
      [22_050, 16_000],
      [8_000, 11_025],
      [44_101, 11_025],
    ] as const
  ).map(([fromHz, toHz]) => ({
    name: `resample ${fromHz} -> ${toHz} Hz`,
    audioSeconds: 2,
    run: (backend: Backend) => {
      const resampler = createKernels({ backend }).createResampler(fromHz, toHz);
      return () => {
        resampler.process(music.subarray(0, 2 * fromHz));
        resampler.flush();
      };
    },
  })),
  {
    name: 'spectral peaks, 11,025 Hz, FFT 1024, hop 256',
    audioSeconds: 10,
    run: (backend) => {
      const finder = createKernels({ backend }).createSpectralPeaks();
      const peaks = new PeakList();
      return () => {
        peaks.clear();
        finder.process(music.subarray(0, 10 * 11_025), peaks);
        finder.flush(peaks);
      };
    },
  },
  {
    name: 'stereo to mono, 44,100 Hz',
    audioSeconds: 5,
    run: (backend) => {
      const mixer = createKernels({ backend }).createMonoMixer();
      const mono = new Float32Array(44_100);
      return () => {
        for (let at = 0; at < 5 * 44_100; at += 44_100) {
          const block = music.subarray(at, at + 44_100);
          mixer.mix([block, block], mono);
        }
      };
    },
  },
  {
    name: 'log-mel, 16 kHz, FFT 512, hop 320, 80 bands',
    audioSeconds: 10,
    run: (backend) => {
      const logMel = createKernels({ backend }).createLogMel();
      return () => {
        logMel.process(music.subarray(0, 10 * 16_000));
        logMel.flush();
      };
    },
  },
  {
    name: 'true peak, 44,100 Hz, 4 times oversampled',
    audioSeconds: 2,
    run: (backend) => {
      const meter = createKernels({ backend }).createTruePeakMeter(44_100);
      return () => {
        meter.process(music.subarray(0, 2 * 44_100));
        meter.flush();
      };
    },
  },
  {
    name: 'stereo to mono, resample 44100 -> 11025 Hz and spectral peaks together',
    audioSeconds: 5,
    run: (backend) => {
      const kernels = createKernels({ backend });
      const mixer = kernels.createMonoMixer();
      const resampler = kernels.createResampler(44_100, 11_025);
      const finder = kernels.createSpectralPeaks();
      const peaks = new PeakList();
      const mono = new Float32Array(44_100);
      return () => {
        peaks.clear();
        for (let at = 0; at < 5 * 44_100; at += 44_100) {
          const block = music.subarray(at, at + 44_100);
          finder.process(resampler.process(mixer.mix([block, block], mono)), peaks);
        }
        finder.process(resampler.flush(), peaks);
        finder.flush(peaks);
      };
    },
  },
];

console.log('| x real time per core | WASM median | WASM best | TypeScript median | TypeScript best |');
console.log('|---|---:|---:|---:|---:|');
for (const { name, audioSeconds, run } of cases) {
  const wasm = speeds(audioSeconds, run('wasm'), 200);
  const js = speeds(audioSeconds, run('js'), 12);
  console.log(`| ${name} | ${[wasm.median, wasm.best, js.median, js.best].map(round).join(' | ')} |`);
}

console.log(
  '\n| resampler, dB | largest error in the pass-band (to 0.9 Nyquist) | largest residue above Nyquist |',
);
console.log('|---|---:|---:|');
for (const [fromHz, toHz] of [
  [44_100, 11_025],
  [48_000, 11_025],
  [48_000, 16_000],
  [44_100, 16_000],
  [22_050, 16_000],
  [8_000, 11_025],
] as const) {
  const nyquistHz = Math.min(fromHz, toHz) / 2;
  let passError = 0;
  let stopPeak = 0;
  for (let part = 0.01; part <= 0.9; part += 0.01) {
    passError = Math.max(passError, Math.abs(toneGainDb(fromHz, toHz, part * nyquistHz)));
  }
  for (let hz = nyquistHz * 1.0001; hz < fromHz / 2; hz *= 1.013) {
    stopPeak = Math.max(stopPeak, tonePeak(fromHz, toHz, hz));
  }
  const stop = stopPeak === 0 ? 'none above' : (20 * Math.log10(stopPeak)).toFixed(1);
  console.log(`| ${fromHz} -> ${toHz} Hz | ${passError.toFixed(4)} | ${stop} |`);
}

const lists = (['wasm', 'js'] as const).map((backend) => {
  const finder = createKernels({ backend }).createSpectralPeaks();
  const peaks = new PeakList();
  for (let repeat = 0; repeat < 20; repeat++) finder.process(music, peaks);
  finder.flush(peaks);
  return peaks;
});
let equal = 0;
for (let n = 0; n < lists[0].length; n++) {
  const same = (['frame', 'bin', 'levelDb'] as const).every(
    (field) => lists[0][field][n] === lists[1][field][n],
  );
  if (same) equal++;
}
console.log(
  `\npeaks equal bit for bit in both back ends: ${equal} of ${Math.max(lists[0].length, lists[1].length)}`,
);

function speeds(audioSeconds: number, run: () => void, runs: number): { median: number; best: number } {
  for (let n = 0; n < 3; n++) run();
  const seconds = Array.from({ length: runs }, () => {
    const start = process.hrtime.bigint();
    run();
    return Number(process.hrtime.bigint() - start) / 1e9;
  }).sort((a, b) => a - b);
  return { median: audioSeconds / seconds[runs >> 1], best: audioSeconds / seconds[0] };
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function resampleTone(fromHz: number, toHz: number, hz: number): Float32Array {
  const resampler = new Resampler(fromHz, toHz);
  const tone = Float32Array.from({ length: fromHz / 2 }, (_, n) => Math.sin((2 * Math.PI * hz * n) / fromHz));
  const output = resampler.process(tone);
  return output.subarray(output.length >> 2, (3 * output.length) >> 2);
}

function tonePeak(fromHz: number, toHz: number, hz: number): number {
  return resampleTone(fromHz, toHz, hz).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/** Gain of a tone by least squares against sine and cosine. */
function toneGainDb(fromHz: number, toHz: number, hz: number): number {
  const output = resampleTone(fromHz, toHz, hz);
  const omega = (2 * Math.PI * hz) / toHz;
  let [cc, ss, cs, xc, xs] = [0, 0, 0, 0, 0];
  output.forEach((value, n) => {
    const c = Math.cos(omega * n);
    const s = Math.sin(omega * n);
    cc += c * c;
    ss += s * s;
    cs += c * s;
    xc += value * c;
    xs += value * s;
  });
  const determinant = cc * ss - cs * cs;
  return 20 * Math.log10(Math.hypot(xc * ss - xs * cs, xs * cc - xc * cs) / determinant);
}

function seededNoise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
