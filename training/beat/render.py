"""Renders scores and their variations to 30 s of 16 kHz mono with the truth about beats and key.

    render.py OUT --midi FOLDER --listed ON_GRID.txt --font FONT... [--variants 6] [--composed 600] [--plain] [--seed 1]

OUT gets ID.s16 (signed 16-bit PCM) and index.jsonl: id, group (the piece; folds keep groups together), source (the file name up to
its first hyphen, or composed), font, times and numbers of the beats, tempo, metre, key and its lead.
--plain renders the first 30 s of every piece as it is, once a font, for evaluation. FluidSynth must be on the path.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import compose
import scores

midi_file = scores.midi_file
RATE, SECONDS = 16000, 30.0


def synthesise(division, events, font, room, gain=0.6):
    with tempfile.TemporaryDirectory() as scratch:
        song, raw = os.path.join(scratch, "song.mid"), os.path.join(scratch, "song.raw")
        midi_file.write(song, division, events)
        wet = "1" if room else "0"
        subprocess.run(["fluidsynth", "-ni", "-o", "synth.dynamic-sample-loading=1", "-o", f"synth.reverb.active={wet}", "-o", f"synth.chorus.active={wet}",
                        "-r", str(RATE), "-g", str(gain), "-F", raw, "-T", "raw", "-O", "s16", font, song], check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return np.fromfile(raw, "<i2").reshape(-1, 2).astype("float32").mean(1)[: int(SECONDS * RATE)] / 32768


def spoil(pcm, rng):
    """Equaliser, noise, level: what happens to sound on its way. The beats stay where they are."""
    spectrum = np.fft.rfft(pcm)
    hz = np.fft.rfftfreq(len(pcm), 1 / RATE)
    nodes = np.log2([40, 120, 400, 1200, 3500, 8000])
    curve = np.interp(np.log2(np.maximum(hz, 20)), nodes, [rng.gauss(0, 4) for _ in nodes])
    if rng.random() < 0.15:
        curve -= np.clip(24 * np.log2(np.maximum(hz, 1) / rng.uniform(2500, 6000)), 0, 60)
    pcm = np.fft.irfft(spectrum * 10 ** (curve / 20), len(pcm)).astype("float32")
    if rng.random() < 0.35:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(pcm)).astype("float32")
        if rng.random() < 0.5:
            noise = np.cumsum(noise) - np.convolve(np.cumsum(noise), np.ones(200) / 200, "same")
        pcm = pcm + noise / (noise.std() + 1e-9) * pcm.std() * 10 ** (-rng.uniform(12, 35) / 20)
    return pcm


def codec(pcm, rng):
    rate = rng.choice(["24k", "32k", "48k", "64k"])
    made = subprocess.run(["ffmpeg", "-v", "error", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-c:a", "libmp3lame", "-b:a", rate, "-f", "mp3", "-"],
                          input=pcm.astype("<f4").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    back = subprocess.run(["ffmpeg", "-v", "error", "-f", "mp3", "-i", "-", "-f", "f32le", "-ar", str(RATE), "-ac", "1", "-"], input=made,
                          stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(back, "<f4")[: len(pcm)].copy()


def arrange(ident, source, plain, fonts, load):
    """What is played under a name: (generator, font, ticks a quarter, all events, first tick, seconds, events of the excerpt)."""
    rng = random.Random(f"render/{ident}")
    font = fonts[0] if plain else rng.choice(fonts)
    division, events = load()
    if not plain and source != "composed":
        division, events = scores.vary(division, events, rng)
    ticks = scores.beat_ticks(division, events)
    start = 0
    bars = [tick for tick, number in ticks if number == 1]
    if not plain and len(bars) > 12 and rng.random() < 0.6:
        start = bars[rng.randrange(len(bars) * 3 // 4)]
        if rng.random() < 0.15:
            start += rng.randrange(division)
    length = SECONDS if plain or rng.random() > 0.1 else rng.uniform(12, SECONDS)
    return rng, font, division, events, start, length, scores.excerpt(division, events, start, length)


def render(job):
    out, ident, group, source, plain, fonts, load = job
    rng, font, division, events, start, length, piece = arrange(ident, source, plain, fonts, load)
    ticks = scores.beat_ticks(division, events)
    if scores.note_span(piece) is None:
        return None
    full, numbers, _ = scores.truth(division, events)
    offset = float(np.interp(start, [t for t, _ in ticks], full)) if start else 0.0
    times = full - offset
    keep = (times >= -1e-3) & (times < length)
    if keep.sum() < 4:
        return None
    gaps = np.diff(times[keep])
    tempo = float(np.median(60 / gaps[gaps > 0]))
    pcm = synthesise(division, piece, font, plain or rng.random() < 0.6)
    if len(pcm) < 8 * RATE or np.abs(pcm).max() < 0.005:
        return None
    if not plain and rng.random() < 0.6:
        pcm = spoil(pcm, rng)
    if not plain and rng.random() < 0.15:
        pcm = codec(pcm, rng)
    pcm *= (0.7 if plain else rng.uniform(0.1, 0.9)) / (np.abs(pcm).max() + 1e-9)
    (pcm * 32767).astype("<i2").tofile(os.path.join(out, ident + ".s16"))
    key, whole = scores.key_of(division, piece, length), scores.key_of(division, events)
    metre = scores.metres(division, events)[0]
    return {"id": ident, "group": group, "source": source, "font": os.path.basename(font), "seconds": len(pcm) / RATE, "tempo": tempo,
            "beats": [round(float(t), 4) for t in times[keep]], "numbers": [int(n) for n in numbers[keep]], "perBar": metre[2],
            "key": key and key[0], "keyLead": key and round(key[1], 4), "wholeKey": whole and whole[0], "wholeKeyLead": whole and round(whole[1], 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--midi", required=True)
    parser.add_argument("--listed", required=True)
    parser.add_argument("--font", action="append", required=True)
    parser.add_argument("--variants", type=int, default=6)
    parser.add_argument("--composed", type=int, default=600)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with open(args.listed, encoding="utf-8") as f:
        names = [line.strip() for line in f if line.strip()]
    jobs = []
    for name in names:
        group, source = name.rsplit(".", 1)[0], name.split("-")[0]

        def load(path=os.path.join(args.midi, name)):
            return midi_file.read(path)
        if args.plain:
            for font in args.font:
                jobs.append((args.out, f"{group}@{os.path.basename(font).split('.')[0]}", group, source, True, [font], load))
        else:
            jobs += [(args.out, f"{group}@{args.seed}.{v}", group, source, False, args.font, load) for v in range(args.variants)]
    for i in range(args.composed):
        seed = args.seed * 1_000_000 + i
        style = compose.compose(seed)[0]
        jobs.append((args.out, f"{style}-{seed}", f"{style}-{seed}", "composed", args.plain, args.font[i % len(args.font):][:1] if args.plain else args.font,
                     lambda seed=seed: compose.compose(seed)[1]))
    random.Random(args.seed).shuffle(jobs)
    done = set()
    listing = os.path.join(args.out, "index.jsonl")
    if os.path.exists(listing):
        with open(listing, encoding="utf-8") as f:
            done = {json.loads(line)["id"] for line in f}

    def attempt(job):
        try:
            return render(job)
        except (subprocess.SubprocessError, ValueError, IndexError) as error:
            print(job[1], repr(error)[:200], flush=True)
            return None
    with ThreadPoolExecutor(args.workers) as pool, open(listing, "a", encoding="utf-8") as f:
        for row in pool.map(attempt, [job for job in jobs if job[1] not in done]):
            if row:
                f.write(json.dumps(row) + "\n")
                f.flush()


if __name__ == "__main__":
    main()
