"""What may happen to a 5 s clip on its way to a listener: filters, rooms, pitch or tempo changes, lossy codecs."""
import io
import subprocess

import numpy as np
import scipy.fft
import scipy.signal
import soundfile

import front_end as fe

N = fe.CLIP_SAMPLES
FRAME = 640
SEARCH = 160


def filters(rng, rooms, x):
    """Equaliser, low-pass, high-pass and room in one multiplication."""
    size = scipy.fft.next_fast_len(N + 16000, real=True)
    hz = np.arange(size // 2 + 1) * 16000 / size
    curve = np.zeros(len(hz), "float32")
    if rng.random() < 0.6:
        curve += np.interp(np.log2(hz + 20), np.log2([20, 120, 400, 1200, 3000, 8000]), rng.uniform(-8, 8, 6))
    if rng.random() < 0.25:
        curve -= 48 * np.clip(np.log2((hz + 1) / rng.uniform(1800, 6500)), 0, None)
    if rng.random() < 0.15:
        curve -= 24 * np.clip(np.log2(rng.uniform(100, 500) / (hz + 1)), 0, None)
    response = 10 ** (np.clip(curve, -90, 20) / 20)
    if rng.random() < 0.3:
        response = response * scipy.fft.rfft(np.pad(rooms[rng.integers(len(rooms))], (0, size))[:size])
    return scipy.fft.irfft(scipy.fft.rfft(np.pad(x, (0, size - N))) * response, size)[:N].astype("float32")


def stretch(x, ratio):
    """Plays x `ratio` times as long at the same pitch: WSOLA, 40 ms frames, half overlap, search of 10 ms either way."""
    hop = FRAME // 2
    window = fe.hann(FRAME)
    count = int(len(x) * ratio) // hop
    padded = np.pad(x, (SEARCH, FRAME * 2 + SEARCH))
    out, want = np.zeros((count + 2) * hop, "float32"), None
    for k in range(count):
        at = int(k * hop / ratio)
        if want is not None:
            near = padded[at:at + FRAME + 2 * SEARCH]
            at += int(np.argmax(scipy.signal.correlate(near, want, "valid", "fft")))
        else:
            at += SEARCH
        out[k * hop:k * hop + FRAME] += padded[at:at + FRAME] * window
        want = padded[at + hop:at + hop + FRAME]
    return out[:int(len(x) * ratio)]


def pitch(x, factor, count=N):
    """x with its pitch multiplied by `factor`, tempo kept: `count` samples."""
    long = stretch(x, factor)
    return np.interp(np.arange(count) * factor, np.arange(len(long)), long).astype("float32")


def codec(rng, x):
    """The clip after a lossy codec at a low rate: MP3, Vorbis or AAC; its level is kept under full scale."""
    kind = rng.choice(["mp3", "mp3", "vorbis", "aac"])
    if kind == "aac":
        rate = str(rng.choice([24, 32, 48])) + "k"
        coded = subprocess.run(["ffmpeg", "-v", "error", "-f", "f32le", "-ar", "16000", "-ac", "1", "-i", "-", "-c:a", "aac", "-b:a", rate, "-f", "adts", "-"],
                               input=x.astype("<f4").tobytes(), stdout=subprocess.PIPE, check=True).stdout
        raw = subprocess.run(["ffmpeg", "-v", "error", "-f", "aac", "-i", "-", "-f", "f32le", "-ar", "16000", "-ac", "1", "-"],
                             input=coded, stdout=subprocess.PIPE, check=True).stdout
        y = np.frombuffer(raw, "<f4")
    else:
        box = io.BytesIO()
        as_mp3 = kind == "mp3"
        soundfile.write(box, x, 16000, format="MP3" if as_mp3 else "OGG", subtype="MPEG_LAYER_III" if as_mp3 else "VORBIS",
                        compression_level=float(rng.uniform(0.7, 0.99)))
        box.seek(0)
        y = soundfile.read(box, dtype="float32")[0]
    return np.resize(y, N) if len(y) >= N else np.pad(y, (0, N - len(y)))
