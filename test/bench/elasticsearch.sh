#!/usr/bin/env bash
# Runs elasticsearch.ts on three nodes of 1 GB heap whose data stay in DIR, and ends the nodes.
#
#   test/bench/elasticsearch.sh DIR MUSIC.emfp [HOURS=10,100,1000] [MINUTES=60] [QUERIES=100]
#
# A run that was ended goes on where it was: the catalog in DIR only grows. Run `npm run build` before.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=$1
port=${EARMARK_BENCH_PORT:-9350}
trap '[ ! -f "$dir/pids" ] || xargs kill < "$dir/pids" || true' EXIT
ES_HEAP=1g test/support/elasticsearch/start.sh "$dir" 3 "$port"
urls=http://127.0.0.1:$port,http://127.0.0.1:$((port + 1)),http://127.0.0.1:$((port + 2))
# Shards of an earlier run come back first.
curl -fsS "http://127.0.0.1:$port/_cluster/health?wait_for_status=green&timeout=300s" > /dev/null || true
node_modules/.bin/node test/bench/elasticsearch.ts "$urls" "$2" --hours "${3:-10,100,1000}" --minutes "${4:-60}" --queries "${5:-100}"
