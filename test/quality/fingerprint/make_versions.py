#!/usr/bin/env python3
"""Renders compositions twice, with two sound fonts and at several tempos: versions that are not the recording.

  make_versions.py MIDI FONT_A FONT_B OUT [--seed 1] [--pieces 20] [--seconds 40]

OUT gets music/ (every piece with FONT_A at its own tempo: the catalog), catalog.json, truth.json and 10 s clips of the other
renderings for evaluate.ts: FONT_A faster and slower (the tempo of the notes, not of the audio), FONT_B at the same tempo,
faster and slower; and of the catalog's own recordings, the controls.
"""
import argparse
import glob
import os
import struct
import subprocess
import tempfile

import numpy as np

from audio import SR, dump, rms, rng_for, save

KINDS = {"other_font": ("B", 1.0), "other_font_faster": ("B", 1.12), "other_font_slower": ("B", 0.9),
         "same_font_faster": ("A", 1.12), "same_font_slower": ("A", 0.9), "recording": ("A", 1.0)}


def render(midi, font, tempo, seconds):
    """Samples of the first seconds; the tempo is changed by the ticks a quarter note has."""
    data = bytearray(open(midi, "rb").read())
    division = struct.unpack(">H", data[12:14])[0]
    if division & 0x8000:
        return None
    data[12:14] = struct.pack(">H", round(division * tempo))
    with tempfile.TemporaryDirectory() as folder:
        changed, raw = os.path.join(folder, "a.mid"), os.path.join(folder, "a.raw")
        with open(changed, "wb") as f:
            f.write(data)
        cmd = ["fluidsynth", "-ni", "-o", "synth.dynamic-sample-loading=1", "-o", "synth.chorus.active=0", "-r", str(SR), "-g", "0.5",
               "-F", raw, "-T", "raw", "-O", "s16", font, changed]
        # The renderer knows no end but the piece's: it is stopped when enough is there.
        p = subprocess.Popen(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = int(seconds * SR) * 4
        while p.poll() is None and not (os.path.exists(raw) and os.path.getsize(raw) >= wanted):
            try:
                p.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        p.kill()
        p.wait()
        x = np.fromfile(raw, "<i2")[: wanted // 2] if os.path.exists(raw) else np.zeros(0)
    x = x[: len(x) // 2 * 2].reshape(-1, 2).mean(1).astype(np.float32) / 32768
    return x, round(division * tempo) / division


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("midi", "font_a", "font_b", "out"):
        ap.add_argument(name)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--pieces", type=int, default=20)
    ap.add_argument("--seconds", type=float, default=40)
    a = ap.parse_args()
    files = sorted(glob.glob(os.path.join(a.midi, "*.mid")))
    catalog, rows = [], []
    for k in rng_for(a.seed, "versions").permutation(len(files)):
        name = os.path.basename(files[k])[:-4]
        made = render(files[k], a.font_a, 1.0, a.seconds)
        if made is None or len(made[0]) < (a.seconds - 1) * SR or min(rms(c) for c in np.array_split(made[0], 8)) < 0.005:
            continue
        recording = made[0]
        save(os.path.join(a.out, "music", f"{name}.wav"), recording)
        catalog.append(dict(track=f"{name}.wav", seconds=a.seconds))
        at = float(rng_for(a.seed, name).uniform(8, a.seconds - 22))
        for kind, (font, tempo) in KINDS.items():
            if kind == "recording":
                x, exact = recording, 1.0
            else:
                x, exact = render(files[k], a.font_a if font == "A" else a.font_b, tempo, at / tempo + 12)
            clip = x[int(at / exact * SR) : int((at / exact + 10) * SR)]
            if len(clip) < 9 * SR or rms(clip) < 0.003:
                continue
            file = os.path.join(kind, f"{len(catalog):04d}.wav")
            save(os.path.join(a.out, file), clip)
            rows.append(dict(id=file, set=kind, seconds=10, track=f"{name}.wav", source=f"{name}.wav", ref_start=round(at, 3),
                             tempo=round(exact, 4), slack=0.3))
        if len(catalog) == a.pieces:
            break
    dump(os.path.join(a.out, "catalog.json"), dict(catalog=catalog, held_out=[]))
    dump(os.path.join(a.out, "truth.json"), rows)
    print(f"{len(catalog)} pieces, {len(rows)} clips")


if __name__ == "__main__":
    main()
