#!/usr/bin/env python3
"""Make the demo video and its ground truth out of the sample tracks.

    make-video.py [--audio DIR] [--samples SAMPLES]

Writes SAMPLES/video/demo.mp4 (H.264, AAC), demo.webm (VP9, Opus) and
demo.truth.json. Two minutes: espeak-ng speaks; three sample tracks are heard
(in the foreground, under speech, and 4 % faster), then silence, then a piece
that is in no catalog. All times follow from the timeline below; the same
inputs and tool versions give the same sound.

DIR holds the unpacked package of the foreign piece, as for cut-samples.py;
without it the package is downloaded. Needs ffmpeg, espeak-ng and sox.
"""

from __future__ import annotations

import argparse
import array
import importlib.util
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import wave

MAKE = pathlib.Path(__file__).resolve().parent
RATE_HZ = 48000
DURATION_MS = 120_000
MAX_TOTAL_BYTES = 8_000_000
SPEECH_PEAK_DB = -5.0
MUSIC_RMS_DB = -16.0
MUSIC_UNDER_SPEECH_DB = -6.0

MUSIC = [
    {"track": "orchestral-main-theme.opus", "startMs": 10_000, "durationMs": 22_000, "referenceStartMs": 12_000,
     "speedRatio": 1.0, "role": "foreground", "fadeInMs": 1500, "fadeOutMs": 2500},
    {"track": "latin-hacienda.opus", "startMs": 38_500, "durationMs": 25_000, "referenceStartMs": 20_000,
     "speedRatio": 1.0, "role": "under-speech", "fadeInMs": 800, "fadeOutMs": 1500},
    {"track": "rock-lucky-13.opus", "startMs": 74_000, "durationMs": 20_000, "referenceStartMs": 8_000,
     "speedRatio": 1.04, "role": "foreground", "fadeInMs": 1000, "fadeOutMs": 2000},
]
FOREIGN = {"startMs": 99_500, "durationMs": 15_000, "fadeInMs": 1000, "fadeOutMs": 2000}
SILENCE = [{"startMs": 63_500, "endMs": 69_000}]

# Speech may not run past the second time: what follows it has its own place.
SPEECH = [
    (500, 9_800, "Welcome to a short tour of sound. Over the next two minutes you will hear music, speech and silence. "
                 "We begin with an orchestra."),
    (32_300, 38_300, "That was the theme of an island builder. Next, a guitar from the south, under a long story."),
    (39_500, 62_800, "It is early morning in the harbour. The fishing boats have come back, and the market opens its "
                     "doors. A woman in a blue coat carries a basket of oranges across the square. Two dogs sleep in "
                     "the shade of the old fountain. Somewhere above, behind a green shutter, somebody is playing the "
                     "guitar. The bells ring nine times, and the first tram turns the corner on its way to the "
                     "beach."),
    (69_300, 73_800, "After a moment of silence, some rock. It runs a little too fast."),
    (94_200, 99_300, "And now a piece that no catalog knows. It should stay without a name."),
    (115_000, 119_500, "That is all. Thank you for listening, and good bye."),
]


def load_cutter():
    """cut-samples.py as a module: it knows the recipe and how to unpack a package."""
    spec = importlib.util.spec_from_file_location("cut_samples", MAKE / "cut-samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command: str) -> None:
    """Run a tool; raise if it fails."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg quietly, overwriting, with output that does not name the encoder's build."""
    run("ffmpeg", "-v", "error", "-nostdin", "-y", *arguments)


def rms_db(file: pathlib.Path) -> float:
    """RMS of the parts of a 16-bit wav that are not silent (20 ms blocks above -50 dBFS), in dBFS."""
    with wave.open(str(file)) as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
        block = sound.getframerate() * sound.getnchannels() // 50
    powers = []
    for start in range(0, len(samples) - block + 1, block):
        piece = samples[start:start + block]
        power = sum(value * value for value in piece) / block / 32768**2
        if power > 1e-5:
            powers.append(power)
    return 10 * math.log10(sum(powers) / len(powers))


def duration_ms(file: pathlib.Path) -> int:
    """Duration of a wav, in whole milliseconds, rounded up."""
    with wave.open(str(file)) as sound:
        return math.ceil(sound.getnframes() * 1000 / sound.getframerate())


def excerpt(source: pathlib.Path, start_ms: int, duration: int, speed: float, target: pathlib.Path) -> None:
    """Write `duration` ms of stereo sound that begins at start_ms of the source, played `speed` times as fast."""
    start = start_ms * RATE_HZ // 1000
    length = round(duration * speed * RATE_HZ / 1000)
    chain = [f"aresample={RATE_HZ}", f"atrim=start_sample={start}:end_sample={start + length}", "asetpts=N/SR/TB"]
    if speed != 1.0:
        chain += [f"asetrate={round(RATE_HZ * speed)}", f"aresample={RATE_HZ}"]
    chain += [f"apad=whole_len={duration * RATE_HZ // 1000}", f"atrim=end_sample={duration * RATE_HZ // 1000}"]
    ffmpeg("-i", str(source), "-map", "0:a:0", "-af", ",".join(chain), "-ac", "2", "-c:a", "pcm_s16le", str(target))


def speak(text: str, target: pathlib.Path) -> None:
    """Speak a text to a mono wav without silence at its ends."""
    raw = target.with_suffix(".raw.wav")
    run("espeak-ng", "-v", "en-gb", "-s", "160", "-w", str(raw), text)
    run("sox", "-D", str(raw), "-b", "16", "-r", str(RATE_HZ), "-c", "1", str(target),
        "silence", "1", "0.01", "0.2%", "reverse", "silence", "1", "0.01", "0.2%", "reverse",
        "norm", str(SPEECH_PEAK_DB))


def mix(parts: list[dict], target: pathlib.Path) -> None:
    """Add the parts at their times. Each: file, startMs, gainDb, durationMs, fadeInMs, fadeOutMs."""
    inputs: list[str] = []
    chains: list[str] = []
    for number, part in enumerate(parts):
        inputs += ["-i", str(part["file"])]
        fade_out_at = (part["durationMs"] - part["fadeOutMs"]) / 1000
        chain = ["aformat=sample_fmts=fltp:channel_layouts=stereo", f"volume={part['gainDb']:.3f}dB"]
        if part["fadeInMs"]:
            chain.append(f"afade=t=in:d={part['fadeInMs'] / 1000}")
        if part["fadeOutMs"]:
            chain.append(f"afade=t=out:st={fade_out_at}:d={part['fadeOutMs'] / 1000}")
        chain.append(f"adelay={part['startMs'] * RATE_HZ // 1000}S:all=1")
        chains.append(f"[{number}:a]{','.join(chain)}[p{number}]")
    joined = "".join(f"[p{number}]" for number in range(len(parts)))
    length = DURATION_MS * RATE_HZ // 1000
    graph = ";".join(chains) + (f";{joined}amix=inputs={len(parts)}:normalize=0:duration=longest,"
                                f"apad=whole_len={length},atrim=end_sample={length}[out]")
    ffmpeg(*inputs, "-filter_complex", graph, "-map", "[out]", "-c:a", "pcm_s16le", str(target))


def encode(sound: pathlib.Path, folder: pathlib.Path) -> None:
    """Write demo.mp4 and demo.webm with a slowly moving picture."""
    picture = ["-f", "lavfi", "-i", f"gradients=size=320x180:rate=12:nb_colors=3:seed=7:speed=0.02:"
                                    f"duration={DURATION_MS / 1000}"]
    common = ["-map", "0:v", "-map", "1:a", "-map_metadata", "-1", "-pix_fmt", "yuv420p", "-threads", "1",
              "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    ffmpeg(*picture, "-i", str(sound), *common, "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", "-g", "60",
           "-c:a", "aac", "-b:a", "112k", "-movflags", "+faststart", str(folder / "demo.mp4"))
    ffmpeg(*picture, "-i", str(sound), *common, "-c:v", "libvpx-vp9", "-b:v", "60k", "-deadline", "realtime",
           "-cpu-used", "8", "-g", "60", "-c:a", "libopus", "-b:a", "80k", str(folder / "demo.webm"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--samples", type=pathlib.Path, default=MAKE.parent, metavar="SAMPLES")
    options = parser.parse_args()
    cutter = load_cutter()
    foreign = cutter.read_recipe()["foreign"]
    folder = options.samples / "video"
    folder.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        parts: list[dict] = []
        spoken: list[dict] = []
        speech_levels: list[float] = []
        for number, (start_ms, latest_ms, text) in enumerate(SPEECH):
            file = scratch / f"speech-{number}.wav"
            speak(text, file)
            length = duration_ms(file)
            if start_ms + length > latest_ms:
                raise SystemExit(f"speech {number} ends at {start_ms + length} ms, later than {latest_ms} ms")
            speech_levels.append(rms_db(file))
            parts.append({"file": file, "startMs": start_ms, "durationMs": length, "gainDb": 0.0,
                          "fadeInMs": 0, "fadeOutMs": 0})
            spoken.append({"startMs": start_ms, "endMs": start_ms + length, "text": text})

        for number, item in enumerate(MUSIC):
            file = scratch / f"music-{number}.wav"
            excerpt(options.samples / "tracks" / item["track"], item["referenceStartMs"], item["durationMs"],
                    item["speedRatio"], file)
            wanted = MUSIC_RMS_DB
            if item["role"] == "under-speech":
                over = next(level for level, line in zip(speech_levels, spoken)
                            if item["startMs"] <= line["startMs"] < item["startMs"] + item["durationMs"])
                wanted = over + MUSIC_UNDER_SPEECH_DB
            parts.append({**item, "file": file, "gainDb": wanted - rms_db(file)})

        source = cutter.source_file(foreign, options.audio, scratch)
        file = scratch / "foreign.wav"
        excerpt(source, foreign["startSeconds"] * 1000, FOREIGN["durationMs"], 1.0, file)
        parts.append({**FOREIGN, "file": file, "gainDb": MUSIC_RMS_DB - rms_db(file)})

        sound = scratch / "mix.wav"
        mix(parts, sound)
        encode(sound, folder)

    truth = {
        "durationMs": DURATION_MS,
        "matches": [{
            "track": item["track"],
            "queryStartMs": item["startMs"],
            "queryEndMs": item["startMs"] + item["durationMs"],
            "referenceStartMs": item["referenceStartMs"],
            "referenceEndMs": item["referenceStartMs"] + round(item["durationMs"] * item["speedRatio"]),
            "speedRatio": item["speedRatio"],
            "role": item["role"],
            "fadeInMs": item["fadeInMs"],
            "fadeOutMs": item["fadeOutMs"],
        } for item in MUSIC],
        "foreign": [{"startMs": FOREIGN["startMs"], "endMs": FOREIGN["startMs"] + FOREIGN["durationMs"],
                     "title": foreign["title"]}],
        "speech": spoken,
        "silence": SILENCE,
    }
    (folder / "demo.truth.json").write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sizes = {file.name: file.stat().st_size for file in (folder / "demo.mp4", folder / "demo.webm")}
    print(sizes)
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        raise SystemExit(f"the two videos have more than {MAX_TOTAL_BYTES} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
