"""Audio in and out through FFmpeg and SoX, seeded randomness, levels, and interferers for the query sets."""
import hashlib
import json
import os
import subprocess
import wave

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

SR = 22050
AUDIO = (".ogg", ".oga", ".mp3", ".flac", ".opus", ".m4a", ".wav")


def rng_for(*names):
    """A generator that depends on its names alone, never on the order of calls."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def run(cmd, data=None):
    p = subprocess.run(cmd, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode:
        raise RuntimeError(" ".join(map(str, cmd)) + "\n" + p.stderr.decode(errors="replace")[-800:])
    return p.stdout


def load(path, start=0.0, length=None):
    cut = ["-ss", f"{start:.6f}"] + (["-t", f"{length:.6f}"] if length is not None else [])
    out = run(["ffmpeg", "-v", "error", "-nostdin", *cut, "-i", path, "-vn", "-ac", "1", "-ar", str(SR), "-f", "f32le", "-"])
    return np.frombuffer(out, np.float32).copy()


def duration(path):
    try:
        return float(run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]))
    except (RuntimeError, ValueError):
        return 0.0


def save(path, x, codec=()):
    """Writes x as 16-bit WAV, or through FFmpeg when there are codec options."""
    peak = np.abs(x).max() if len(x) else 0
    x = x * (0.99 / peak) if peak > 0.99 else x
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if codec:
        run(["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(SR), "-ac", "1", "-i", "-", *codec, path], x.astype("<f4").tobytes())
        return
    with wave.open(path, "wb") as w:
        w.setnchannels(1), w.setsampwidth(2), w.setframerate(SR)
        w.writeframes(np.round(x * 32767).astype("<i2").tobytes())


def sox(x, *effects):
    fmt = ["-t", "raw", "-r", str(SR), "-e", "float", "-b", "32", "-c", "1"]
    return np.frombuffer(run(["sox", "-D", *fmt, "-", *fmt, "-", *map(str, effects)], x.astype("<f4").tobytes()), np.float32).copy()


def rms(x):
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)) + 1e-20))


def db(x):
    return 10 ** (x / 20)


def active_rms(x):
    """RMS over the 50 ms frames within 30 dB of the loudest: pauses do not count."""
    n = SR // 20
    f = np.sqrt(np.mean(np.square(x[: len(x) // n * n].reshape(-1, n), dtype=np.float64), axis=1) + 1e-20)
    return float(np.sqrt(np.mean(np.square(f[f > f.max() * 0.0316]))))


def mix_at(music, other, ratio_db):
    """music + other, music ratio_db above other (active RMS), peak -1 dBFS."""
    other = np.resize(other, len(music))
    y = music / active_rms(music) * db(ratio_db) + other / active_rms(other)
    return y * (0.89 / np.abs(y).max())


def dump(path, obj):
    with open(path, "w") as f:
        json.dump(obj, f, indent=1)


class Sounds:
    """Interferers from a folder with speech/, noise/ and rooms/ (recordings) and from a seed."""

    def __init__(self, folder):
        files = lambda kind: sorted(os.path.join(folder, kind, f) for f in os.listdir(os.path.join(folder, kind)) if f.lower().endswith(AUDIO))
        self.speech_files, self.noise_files, self.room_files = files("speech"), files("noise"), files("rooms")
        self.loaded = {}

    def _get(self, path):
        if path not in self.loaded:
            self.loaded[path] = load(path)
        return self.loaded[path]

    def _stretch(self, rng, path, seconds):
        x = self._get(path)
        return np.resize(np.roll(x, -int(rng.integers(len(x)))), int(round(seconds * SR)))

    def speech(self, rng, seconds):
        """One recorded speaker, from a random place."""
        return self._stretch(rng, self.speech_files[rng.integers(len(self.speech_files))], seconds)

    def noise(self, rng, seconds):
        """One recorded background sound."""
        return self._stretch(rng, self.noise_files[rng.integers(len(self.noise_files))], seconds)

    def cafe(self, rng, seconds, talkers=6):
        """Babble of recorded speakers, a pink floor, clinks of cups."""
        n = int(round(seconds * SR))
        y = np.zeros(n, np.float32)
        for _ in range(talkers):
            x = self.speech(rng, seconds)
            y += x / active_rms(x) * float(rng.uniform(0.4, 1.0))
        y = y / rms(y) + 0.5 * pink(rng, n)
        t = np.arange(int(0.25 * SR)) / SR
        for _ in range(int(seconds * 1.5)):
            at = int(rng.integers(max(1, n - len(t))))
            c = sum(np.sin(2 * np.pi * rng.uniform(1500, 7000) * t) for _ in range(3)) * np.exp(-t * rng.uniform(20, 60))
            y[at : at + len(t)] += (c * rng.uniform(0.3, 2.0)).astype(np.float32)[: n - at]
        return y

    def recorded_room(self, rng, x):
        """x in a recorded room, plate or spring."""
        h = self._get(self.room_files[rng.integers(len(self.room_files))])
        return fftconvolve(x, h)[: len(x)].astype(np.float32)


def pink(rng, n):
    spec = np.fft.rfft(rng.standard_normal(n))
    x = np.fft.irfft(spec / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / SR), 30)), n)
    return (x / rms(x)).astype(np.float32)


def reverb(rng, x, rt60, direct_db=0.0):
    """Direct path plus an exponentially decaying noise tail."""
    n = int(rt60 * SR)
    h = sosfilt(butter(1, 6000, fs=SR, output="sos"), rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n))
    h[: int(0.005 * SR)] = 0
    h /= np.sqrt(np.sum(h**2)) * db(direct_db)
    h[0] = 1.0
    return fftconvolve(x, h)[: len(x)].astype(np.float32)


def telephone(x):
    y = sosfilt(butter(4, [300, 3400], btype="band", fs=SR, output="sos"), x)
    return np.clip(y / (np.abs(y).max() + 1e-9) * 4.0, -1, 1).astype(np.float32) * 0.8


def fade(x, seconds):
    n = min(int(seconds * SR), len(x) // 2)
    ramp = np.linspace(0, 1, n, dtype=np.float32)
    x[:n] *= ramp
    x[len(x) - n :] *= ramp[::-1]
    return x


def find_music(folder, least=45, most=900):
    """(path, seconds) of the pieces below a folder, links followed, sorted, copies of equal size and length left out."""
    seen, out = set(), []
    for f in sorted(os.path.join(d, f) for d, _, fs in os.walk(folder, followlinks=True) for f in fs if f.lower().endswith(AUDIO)):
        seconds = duration(f) if os.path.getsize(f) > 150_000 else 0
        key = (os.path.getsize(f), round(seconds, 2))
        if least <= seconds <= most and key not in seen:
            seen.add(key)
            out.append((f, seconds))
    return out
