"""Rows of the baselines for the windows of make_seams.py or make_joins.py.

    baselines.py SEAMS

Writes SEAMS/<id>.base of 395 float32 a window: the features whose whitened PCA is the baseline (64 mel bands: mean, spread,
mean of the 2 s at the seam, change; chroma of all and of the seam; onset autocorrelation at lags of 16 to 128 frames), then
the loudness (mean square in dB after a high-pass that stands in for K weighting) and the tempo (beats a minute of the
strongest lag). Resumable. Needs numpy.
"""
import json
import os
import sys

import numpy as np

RATE, WINDOW, HOP = 16000, 8 * 16000, 256
CHROMA = slice(256, 268)
LOUDNESS, TEMPO, SIZE = 393, 394, 395
ALL = np.r_[0:393]
# Mel mean, spread and change, chroma: nothing that reads the exact tempo or the seam.
TEMPO_BLIND = np.r_[0:128, 192:268]


def filters():
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)  # noqa: E731
    edges = 700 * (10 ** (np.linspace(mel(40), mel(7600), 66) / 2595) - 1)
    hz = np.arange(513) * RATE / 1024
    bands = np.array([np.maximum(0, np.minimum((hz - edges[i]) / (edges[i + 1] - edges[i]),
                                               (edges[i + 2] - hz) / (edges[i + 2] - edges[i + 1]))) for i in range(64)])
    fine = np.arange(2049) * RATE / 4096
    chroma = np.zeros((12, 2049))
    for i in range(1, 2049):
        if 100 < fine[i] < 2200:
            pitch = 12 * np.log2(fine[i] / 261.6256)
            chroma[int(round(pitch)) % 12, i] = np.exp(-((pitch - round(pitch)) / 0.25) ** 2)
    return bands.astype(np.float32), chroma.astype(np.float32)


BANDS, CHROMA_BINS = filters()


def magnitudes(x, size, hop):
    frames = np.lib.stride_tricks.as_strided(x, (1 + (len(x) - size) // hop, size), (x.strides[0] * hop, x.strides[0]))
    return np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)).T


def describe(x, side):
    levels = np.log(BANDS @ magnitudes(x, 1024, HOP) ** 2 + 1e-5)
    near = slice(-125, None) if side == "tail" else slice(0, 125)
    change = np.diff(levels, axis=1)
    onsets = np.maximum(0, change).mean(0)
    onsets = onsets - onsets.mean()
    spectrum = np.fft.rfft(onsets, 1024)
    lags = np.fft.irfft(np.abs(spectrum) ** 2)[:129]
    lags = lags / (lags[0] + 1e-9)
    chroma = CHROMA_BINS @ magnitudes(x, 4096, 2048)
    seam = chroma[:, -15:] if side == "tail" else chroma[:, :15]
    unit = lambda v: 3 * v / (np.linalg.norm(v) + 1e-9)  # noqa: E731
    loudness = 10 * np.log10(np.mean(np.diff(x) ** 2) + 1e-12)
    prior = np.exp(-0.5 * (np.log2(np.arange(16, 129) / (0.5 * RATE / HOP)) / 0.9) ** 2)
    tempo = 60 * RATE / HOP / (16 + int(np.argmax(lags[16:] * prior)))
    return np.concatenate([levels.mean(1), levels.std(1), levels[:, near].mean(1), np.abs(change).mean(1), unit(chroma.mean(1)),
                           unit(seam.mean(1)), 3 * lags[16:129], [loudness, tempo]]).astype("<f4")


def few(seams):
    """Windows of a track that only lends candidates and a part of the fit: one tail, four heads, four others, end and start."""
    return {0, *range(2, 4 * min(4, seams), 4), *range(3, 4 * min(4, seams), 4), 4 * seams, 4 * seams + 1}


def main():
    folder = sys.argv[1]
    for line in open(os.path.join(folder, "index.jsonl"), encoding="utf-8"):
        entry = json.loads(line)
        target = os.path.join(folder, entry["id"] + ".base")
        if os.path.exists(target):
            continue
        sound = np.fromfile(os.path.join(folder, entry["id"] + ".s16"), "<i2").reshape(-1, WINDOW)
        sides = entry.get("sides") or ["tail", "head", "head", "head"] * entry["seams"] + ["tail", "head"]
        wanted = range(len(sides)) if entry["split"] == "test" or "sides" in entry else few(entry["seams"])
        rows = [describe(w.astype(np.float32) / 32768 + 1e-6, side) if n in wanted else np.zeros(SIZE, "<f4")
                for n, (w, side) in enumerate(zip(sound, sides))]
        np.stack(rows).tofile(target)


if __name__ == "__main__":
    main()
