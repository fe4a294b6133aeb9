#!/usr/bin/env python3
"""Cut the sample tracks out of Debian packages, as tracks.json says.

    cut-samples.py [--audio DIR] [--out SAMPLES]

Writes SAMPLES/tracks/*.opus, SAMPLES/CREDITS.md and SAMPLES/metadata.csv.
Without --audio every package is downloaded with `apt-get download` into a
temporary folder and unpacked with dpkg-deb. DIR is a folder where the
packages lie unpacked already, one folder a package, a .pk3 as a folder
(training/data/fetch_debian_music.py makes one).

Refuses a track that is not under CC0, CC BY or CC BY-SA, and a cut that is
mostly silence. Needs ffmpeg (with libopus) and dpkg-deb.
"""

from __future__ import annotations

import argparse
import array
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import zipfile

MAKE = pathlib.Path(__file__).resolve().parent
FREE_LICENCES = ("CC0-", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-")
FADE_IN_SECONDS = 0.3
FADE_OUT_SECONDS = 1.5
QUIETEST_RMS_DB = -35.0
MAX_TOTAL_BYTES = 12_000_000
ARCHIVE_MARK = ".pk3!/"


def read_recipe() -> dict:
    """tracks.json: licences, samples and the piece that is in no catalog."""
    return json.loads((MAKE / "tracks.json").read_text(encoding="utf-8"))


def unpack(package: str, path: str, folder: pathlib.Path) -> pathlib.Path:
    """Download a package once and give the path of one of its files."""
    root = folder / package
    if not root.exists():
        downloads = folder / "downloads" / package
        downloads.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=downloads, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["dpkg-deb", "-x", str(next(downloads.glob("*.deb"))), str(root)], check=True)
    if ARCHIVE_MARK not in path:
        return root / path
    member, inner = path.split(ARCHIVE_MARK)
    target = folder / "archives" / package
    with zipfile.ZipFile(root / f"{member}.pk3") as archive:
        return pathlib.Path(archive.extract(inner, target))


def source_file(track: dict, audio: pathlib.Path | None, scratch: pathlib.Path) -> pathlib.Path:
    """Where the whole piece lies, from --audio if it is there."""
    if audio is not None:
        there = audio / track["package"] / track["path"].replace(ARCHIVE_MARK, ".pk3/")
        if there.is_file():
            return there
    return unpack(track["package"], track["path"], scratch)


def cut(track: dict, source: pathlib.Path, target: pathlib.Path) -> None:
    """Encode one section as Opus with short fades and without the source's tags."""
    fade_out_at = track["durationSeconds"] - FADE_OUT_SECONDS
    subprocess.run([
        "ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source), "-map", "0:a:0", "-map_metadata", "-1",
        "-af", f"atrim=start={track['startSeconds']}:duration={track['durationSeconds']},asetpts=PTS-STARTPTS,"
               f"afade=t=in:d={FADE_IN_SECONDS},afade=t=out:st={fade_out_at}:d={FADE_OUT_SECONDS}",
        "-c:a", "libopus", "-b:a", f"{track['bitrateKbps']}k", "-vbr", "constrained", "-ar", "48000",
        "-metadata", f"title={track['title']}", "-metadata", f"artist={track['artists']}",
        "-metadata", f"copyright={track['rightsHolder']}, {track['licence']}",
        "-fflags", "+bitexact", "-flags", "+bitexact", str(target),
    ], check=True)


def measure(file: pathlib.Path) -> tuple[float, float, float]:
    """Decoded duration in seconds, RMS in dBFS, and the share of 1 s blocks below -50 dBFS."""
    rate = 16000
    raw = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(file), "-ac", "1", "-ar", str(rate),
                          "-f", "s16le", "-"], check=True, stdout=subprocess.PIPE).stdout
    samples = array.array("h", raw)
    powers = []
    for start in range(0, len(samples) - rate + 1, rate):
        block = samples[start:start + rate]
        powers.append(sum(value * value for value in block) / rate / 32768**2)
    rms_db = 10 * math.log10(sum(powers) / len(powers) + 1e-12)
    return len(samples) / rate, rms_db, sum(power < 1e-5 for power in powers) / len(powers)


def clock(seconds: float) -> str:
    """Seconds as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def credit(name: str, track: dict, licences: dict[str, str]) -> str:
    """One entry of CREDITS.md."""
    end = track["startSeconds"] + track["durationSeconds"]
    return (
        f"### {name}\n\n"
        f"- Title: {track['title']}\n"
        f"- Author: {track['artists']}; rights: {track['rightsHolder']}\n"
        f"- Source: Debian 12 package `{track['package']}`, `{track['path']}`\n"
        f"- Licence: [{track['licence']}]({licences[track['licence']]}); "
        f"debian/copyright: {track['stanza']}\n"
        f"- Changed: {clock(track['startSeconds'])} to {clock(end)} of the piece, "
    )


def write_credits(recipe: dict, file: pathlib.Path) -> None:
    """CREDITS.md of all samples and of what the video uses."""
    licences = recipe["licences"]
    parts = [
        "# Credits\n\n"
        "Written by `make/cut-samples.py` from `make/tracks.json`. The music keeps the licences named here; they do\n"
        "not extend to the software of this repository.\n\n"
        "## tracks/\n",
    ]
    for track in recipe["samples"]:
        parts.append(credit(f"tracks/{track['file']}", track, licences)
                     + f"fades of {FADE_IN_SECONDS:g} s and {FADE_OUT_SECONDS:g} s, "
                       f"encoded as Opus at {track['bitrateKbps']} kbit/s\n")
    parts.append(
        "## video/\n\n"
        "`demo.mp4` and `demo.webm` are adaptations of three of the tracks above (which ones, and when they sound, is\n"
        "in `demo.truth.json`) and of the piece below. They may be used under\n"
        "[CC-BY-SA-3.0](https://creativecommons.org/licenses/by-sa/3.0/). Excerpts were faded, mixed with synthetic\n"
        "speech, and one was played 4 % faster. Speech: espeak-ng; text and picture: the authors of this repository,\n"
        "under the same licence.\n")
    parts.append(credit("Music that is in no catalog", recipe["foreign"], licences) + "faded, part of the video only\n")
    file.write_text("\n".join(parts), encoding="utf-8")


def write_metadata(recipe: dict, file: pathlib.Path) -> None:
    """metadata.csv for `earmark ingest --metadata`; paths are relative to the file itself."""
    with file.open("w", newline="", encoding="utf-8") as sink:
        rows = csv.writer(sink, lineterminator="\n")
        rows.writerow(["path", "title", "artists", "isrc", "ref:samples", "rights.owner", "rights.licence"])
        for track in recipe["samples"]:
            ref = track["file"].removesuffix(".opus")
            rows.writerow([f"tracks/{track['file']}", track["title"], track["artists"], "", ref,
                           track["rightsHolder"], track["licence"]])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, default=MAKE.parent, metavar="SAMPLES")
    options = parser.parse_args()
    recipe = read_recipe()
    for track in [*recipe["samples"], recipe["foreign"]]:
        if not track["licence"].startswith(FREE_LICENCES):
            raise SystemExit(f"{track['title']}: {track['licence']} is not CC0, CC BY or CC BY-SA")

    tracks = options.out / "tracks"
    tracks.mkdir(parents=True, exist_ok=True)
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        for track in recipe["samples"]:
            target = tracks / track["file"]
            cut(track, source_file(track, options.audio, pathlib.Path(scratch)), target)
            seconds, rms_db, silent = measure(target)
            size = target.stat().st_size
            total += size
            print(f"{track['file']:40} {seconds:6.2f} s {rms_db:6.1f} dBFS {silent:5.1%} silent {size / 1000:7.0f} kB",
                  flush=True)
            if abs(seconds - track["durationSeconds"]) > 0.05:
                raise SystemExit(f"{track['file']}: {seconds:.2f} s, asked for {track['durationSeconds']} s")
            if rms_db < QUIETEST_RMS_DB or silent > 0.1:
                raise SystemExit(f"{track['file']}: too much silence")
    if total > MAX_TOTAL_BYTES:
        raise SystemExit(f"{total} bytes are more than {MAX_TOTAL_BYTES}")
    write_credits(recipe, options.out / "CREDITS.md")
    write_metadata(recipe, options.out / "metadata.csv")
    print(f"{len(recipe['samples'])} tracks, {total / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
