/** Where a channel's speaker stands. `mono` is a single channel; `lfe` (low-frequency effects) is left out of a downmix. */
export type Speaker =
  'mono' | 'left' | 'right' | 'centre' | 'rear-left' | 'rear-right' | 'rear-centre' | 'lfe';

const minus3dB = Math.SQRT1_2;
const gains: Readonly<Record<Speaker, readonly [number, number]>> = {
  mono: [1, 1],
  left: [1, 0],
  right: [0, 1],
  centre: [minus3dB, minus3dB],
  'rear-left': [minus3dB, 0],
  'rear-right': [0, minus3dB],
  'rear-centre': [0.5, 0.5],
  lfe: [0, 0],
};

/** Order of channels in WAV, FLAC, AAC as decoded, and PCM, by number of channels. @see RFC 9639, section 9.1.3 */
const waveOrder: readonly (readonly Speaker[])[] = [
  [],
  ['mono'],
  ['left', 'right'],
  ['left', 'right', 'centre'],
  ['left', 'right', 'rear-left', 'rear-right'],
  ['left', 'right', 'centre', 'rear-left', 'rear-right'],
  ['left', 'right', 'centre', 'lfe', 'rear-left', 'rear-right'],
  ['left', 'right', 'centre', 'lfe', 'rear-centre', 'rear-left', 'rear-right'],
  ['left', 'right', 'centre', 'lfe', 'rear-left', 'rear-right', 'rear-left', 'rear-right'],
];

/** Order of channels in Vorbis and Opus. @see Vorbis I specification, section 4.3.9 */
const vorbisOrder: readonly (readonly Speaker[])[] = [
  [],
  ['mono'],
  ['left', 'right'],
  ['left', 'centre', 'right'],
  ['left', 'right', 'rear-left', 'rear-right'],
  ['left', 'centre', 'right', 'rear-left', 'rear-right'],
  ['left', 'centre', 'right', 'rear-left', 'rear-right', 'lfe'],
  ['left', 'centre', 'right', 'rear-left', 'rear-right', 'rear-centre', 'lfe'],
  ['left', 'centre', 'right', 'rear-left', 'rear-right', 'rear-left', 'rear-right', 'lfe'],
];

/** Speakers of a stream, in the order of its channels; more than eight channels are heard as left, right, left, right ... */
export function speakersOf(channels: number, order: 'wave' | 'vorbis'): readonly Speaker[] {
  const known = (order === 'wave' ? waveOrder : vorbisOrder)[channels];
  return known ?? Array.from({ length: channels }, (_, i) => (i % 2 === 0 ? 'left' : 'right'));
}

/** Bits of a WAVE channel mask, lowest first. @see WAVEFORMATEXTENSIBLE, dwChannelMask */
const maskBits: readonly Speaker[] = [
  'left',
  'right',
  'centre',
  'lfe',
  'rear-left',
  'rear-right',
  'left',
  'right',
  'rear-centre',
  'rear-left',
  'rear-right',
];

/** Speakers by a WAVE channel mask; falls back to the usual order where the mask names another number of channels. */
export function speakersOfMask(mask: number, channels: number): readonly Speaker[] {
  const named = maskBits.filter((_, bit) => mask & (1 << bit));
  return named.length === channels && channels > 2 ? named : speakersOf(channels, 'wave');
}

/**
 * Mixes more than two channels to stereo: ITU-R BS.775 weights, divided by their sum, so that full scale stays full scale.
 * One and two channels come back as they are.
 *
 * @param channels one array a channel, of equal length
 * @param speakers one a channel
 */
export function downmix(
  channels: readonly Float32Array[],
  speakers: readonly Speaker[],
): readonly Float32Array[] {
  if (channels.length <= 2) return channels;
  const frames = channels[0].length;
  return [0, 1].map((side) => {
    const weights = speakers.map((speaker) => gains[speaker][side]);
    const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
    const mixed = new Float32Array(frames);
    channels.forEach((samples, channel) => {
      const gain = weights[channel] / total;
      if (gain !== 0) for (let i = 0; i < frames; i++) mixed[i] += gain * samples[i];
    });
    return mixed;
  });
}
