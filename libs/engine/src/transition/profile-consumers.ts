import { analysisRateHz, type BeatNetwork, TrackAnalyzer } from '@earmark/analysis';
import type { Consumer } from '@earmark/media';
import { type TrackProfile, TrackProfiler } from '@earmark/transition';

/** Longest recording that counts as a track; longer ones are neither analysed nor offered as next. */
const longestTrackSeconds = 2 * 3_600;

/**
 * Consumers of one decode that together make a track's profile: the channels at the file's own rate for loudness and
 * quality, mono at 16 kHz for everything else. What they hold is let go once the recording proves to be no track.
 *
 * @param network finds the beats; absent: analysis scores them by itself
 */
export function startProfile(network?: BeatNetwork): {
  consumers: readonly Consumer[];
  finish: () => Promise<TrackProfile | undefined>;
} {
  let analyzer: TrackAnalyzer | undefined;
  let profiler: TrackProfiler | undefined = new TrackProfiler();
  let isMono = false;
  let seconds = 0;
  // Mono samples may come before the first channels; they wait for the analyser, which needs the file's rate.
  let waiting: Float32Array[] = [];
  const channels: Consumer = {
    channels: 2,
    push([left, right], sampleRateHz) {
      if (profiler === undefined || left === undefined || right === undefined) return;
      if (analyzer === undefined) {
        isMono = left === right;
        analyzer = new TrackAnalyzer(sampleRateHz, isMono ? 1 : 2);
        for (const samples of waiting) analyzer.pushMono(samples);
        waiting = [];
      }
      seconds += left.length / sampleRateHz;
      if (seconds > longestTrackSeconds) {
        analyzer = undefined;
        profiler = undefined;
        return;
      }
      analyzer.pushChannels(isMono ? [left] : [left, right]);
    },
  };
  const mono: Consumer = {
    sampleRateHz: analysisRateHz,
    channels: 1,
    push([samples]) {
      if (profiler === undefined || samples === undefined) return;
      if (analyzer === undefined) waiting.push(samples.slice());
      else analyzer.pushMono(samples);
      profiler.push(samples);
    },
  };
  return {
    consumers: [channels, mono],
    async finish() {
      if (analyzer === undefined) return undefined;
      return profiler?.finish(network ? await analyzer.finishWith(network) : analyzer.finish());
    },
  };
}
