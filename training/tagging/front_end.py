"""Front end of the tagging model: 16 kHz mono samples to log-mel, the same numbers as the product's kernel.

Frame i covers samples [i * HOP, i * HOP + WINDOW); no centring and no mirroring, so that a stream needs no look-back.
"""
import numpy as np
import scipy.fft

SAMPLE_RATE_HZ = 16000
FFT_SIZE = 512
WINDOW_SAMPLES = 400
HOP_SAMPLES = 320
MEL_BANDS = 80
F_MIN_HZ = 30.0
F_MAX_HZ = 8000.0
LOG_OFFSET = 1e-5
FRAMES = 250
CLIP_SAMPLES = (FRAMES - 1) * HOP_SAMPLES + WINDOW_SAMPLES

MANIFEST = {
    "sampleRateHz": SAMPLE_RATE_HZ, "fftSize": FFT_SIZE, "windowSamples": WINDOW_SAMPLES, "window": "hann-periodic",
    "hopSamples": HOP_SAMPLES, "framing": "left", "power": 2, "melBands": MEL_BANDS, "fMinHz": F_MIN_HZ,
    "fMaxHz": F_MAX_HZ, "melScale": "htk", "norm": "none", "log": "natural", "logOffset": LOG_OFFSET,
}


def hann(size):
    """Periodic Hann window, shape [size]."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype("float32")


def triangles(corners_hz, bins_hz):
    """Triangular filters straight in Hz with peak 1: [len(corners) - 2, len(bins)]."""
    lo, mid, hi = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    return np.maximum(0, np.minimum((bins_hz - lo) / (mid - lo), (hi - bins_hz) / (hi - mid)))


def htk_filters(bands, low_hz, high_hz, fft_size, rate_hz):
    """Mel filters on the HTK scale, float32 [bands, fft_size / 2 + 1]."""
    mel = 2595 * np.log10(1 + np.array([low_hz, high_hz]) / 700)
    corners = 700 * (10 ** (np.linspace(mel[0], mel[1], bands + 2) / 2595) - 1)
    return triangles(corners, np.arange(fft_size // 2 + 1) * rate_hz / fft_size).astype("float32")


FILTERS = htk_filters(MEL_BANDS, F_MIN_HZ, F_MAX_HZ, FFT_SIZE, SAMPLE_RATE_HZ)


def power_spectrum(samples, window, hop):
    """|FFT|^2 of left-aligned frames. samples [..., n] -> [..., frames, FFT_SIZE / 2 + 1], float32."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, len(window), axis=-1)[..., ::hop, :]
    spectrum = scipy.fft.rfft(frames * window, FFT_SIZE, axis=-1)
    return spectrum.real ** 2 + spectrum.imag ** 2


def log_mel(samples):
    """Log-mel of samples float32 [..., n] (n >= WINDOW_SAMPLES): [..., 1 + (n - WINDOW) // HOP, MEL_BANDS]."""
    power = power_spectrum(np.asarray(samples, "float32"), hann(WINDOW_SAMPLES), HOP_SAMPLES)
    return np.log(power @ FILTERS.T + np.float32(LOG_OFFSET))


def segments(samples, hop_frames=125):
    """Windows of FRAMES frames every hop_frames over a whole track, [segments, FRAMES, MEL_BANDS].

    The end is filled with zero samples; a last window with less than 1 s of sound is dropped unless it is the only one."""
    samples = np.asarray(samples, "float32")
    hop = hop_frames * HOP_SAMPLES
    count = max(1, -(-(len(samples) - SAMPLE_RATE_HZ) // hop))
    padded = np.pad(samples, (0, max(0, (count - 1) * hop + CLIP_SAMPLES - len(samples))))
    mel = log_mel(padded[: (count - 1) * hop + CLIP_SAMPLES])
    return np.stack([mel[k * hop_frames: k * hop_frames + FRAMES] for k in range(count)])
