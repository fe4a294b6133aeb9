#!/bin/sh
# From nothing to an exported, calibrated and scored model.
#
#   reproduce.sh AUDIO_INDEX.tsv AUDIO_FOLDER SHARED_FOLDER CACHE_FOLDER OUT_FOLDER FONT.sf2 [FONT...]
#
# AUDIO_INDEX.tsv and AUDIO_FOLDER come from ../data/fetch_debian_music.py; SHARED_FOLDER holds midi, sound, teachers,
# harness and music/macleod. EXAMPLES (30000), MINUTES (25) and WORKERS (2) may be set in the environment: the defaults
# take about an hour of CPU on two free cores and reach the floor. Every stage may be stopped and started again.
set -eu
INDEX=$1 AUDIO=$2 SHARED=$3 CACHE=$4 OUT=$5
shift 5
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd "$here"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
EXAMPLES=${EXAMPLES:-30000} MINUTES=${MINUTES:-25} WORKERS=${WORKERS:-2}
fonts=''
for font in "$@"; do fonts="$fonts --font $font"; done
material="--music $CACHE/music --midi $CACHE/midi --voices $CACHE/voices --sound $SHARED/sound --teachers $SHARED/teachers"
labels="--labels $SHARED/music/macleod/labels.tsv --map $SHARED/harness/tagging/label_map.tsv --harness $SHARED/harness/tagging"

python3 decode_audio.py "$INDEX" "$AUDIO" "$CACHE/music"
python3 duplicates.py "$CACHE/music" "$SHARED/music/macleod" "$CACHE/duplicates.tsv"
python3 render_midi.py "$SHARED/midi" "$CACHE/midi" $fonts --variants 2
[ -f "$CACHE/voices/tracks.jsonl" ] || python3 make_speech.py "$CACHE/voices"
for k in $(seq 0 $((WORKERS - 1))); do
  python3 make_pool.py "$CACHE/pool" $material --examples $((EXAMPLES / WORKERS)) --worker "$k" &
done
wait
python3 make_pool.py "$CACHE/heldout" $material --examples 2000 --split heldout --clean 0.6 --seed 99
python3 train.py "$CACHE/pool" "$CACHE/run" --tracks "$CACHE/music/tracks.jsonl" --teachers "$SHARED/teachers" --minutes "$MINUTES" --threads 2
python3 export.py "$CACHE/run/final.pt" "$OUT" --version 1.0.0
python3 predict.py "$OUT" "$SHARED/music/macleod" "$CACHE/macleod.jsonl" --npz "$CACHE/macleod.npz"
python3 calibrate.py "$OUT" --segments "$CACHE/macleod.npz" $labels --pool "$CACHE/heldout" --statistics "$CACHE/run/final.pt" --report "$CACHE/calibration.json"
python3 golden.py "$OUT" "$CACHE/golden"
[ -f "$CACHE/teachers.combined.jsonl" ] || python3 "$SHARED/harness/tagging/teachers.py" "$SHARED/music/macleod" "$CACHE/teachers"
python3 "$SHARED/harness/tagging/score.py" "$CACHE/macleod.jsonl" "$SHARED/music/macleod/labels.tsv" \
  --map "$SHARED/harness/tagging/label_map.tsv" --dataset macleod --baseline "$CACHE/teachers.combined.jsonl"
