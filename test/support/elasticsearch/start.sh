#!/usr/bin/env bash
# Starts a real Elasticsearch cluster on loopback, from the server's jars on Maven Central, and waits until it answers.
#
#   start.sh DIR [NODES=1] [HTTP_PORT=9200]
#
# Writes DIR/pids (one a line) and DIR/url; logs in DIR/n1.log ...; data stay in DIR/n*/data. Stop: kill $(cat DIR/pids).
# Server and classes are kept in EARMARK_ES_HOME (default: .cache/elasticsearch of this repository) and fetched once.
# JAVA_HOME, ES_VERSION and ES_HEAP override what is found; Java 21 or later runs 9.2.0, Java 17 runs 8.19.0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
nodes=${2:-1}
http=${3:-9200}

java_major() { "$1/bin/javac" -version 2>&1 | sed -E 's/javac ([0-9]+).*/\1/'; }

if [ -z "${JAVA_HOME:-}" ]; then
  best=0
  for candidate in /usr/lib/jvm/*; do
    [ -x "$candidate/bin/javac" ] || continue
    major=$(java_major "$candidate")
    if [ "$major" -gt "$best" ]; then
      best=$major
      JAVA_HOME=$candidate
    fi
  done
fi
[ -n "${JAVA_HOME:-}" ] || { echo 'no JDK found: install openjdk-17-jdk-headless and maven' >&2; exit 1; }
major=$(java_major "$JAVA_HOME")
version=${ES_VERSION:-$([ "$major" -ge 21 ] && echo 9.2.0 || echo 8.19.0)}
home=${EARMARK_ES_HOME:-$here/../../../.cache/elasticsearch}/server-$version

# Fetches an artefact with all it needs; a mirror that fails for a moment is asked again.
fetch() {
  local folder=$2 try
  printf '<project><modelVersion>4.0.0</modelVersion><groupId>earmark</groupId><artifactId>server</artifactId><version>1</version><dependencies><dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency></dependencies></project>' \
    "${1%:*}" "${1#*:}" "$version" > "$home/pom.xml"
  for try in 1 2 3 4 5; do
    mvn -q -B -f "$home/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder" && return
    sleep $((try * 4))
  done
  echo "cannot fetch $1:$version" >&2
  return 1
}

if [ ! -f "$home/ready-$major" ]; then
  mkdir -p "$home/lib" "$home/plugins" "$home/modules/transport-netty4" "$home/classes-$major"
  home=$(cd "$home" && pwd)
  if [ ! -f "$home/fetched" ]; then
    fetch org.elasticsearch:elasticsearch "$home/lib"
    fetch org.elasticsearch.plugin:transport-netty4 "$home/modules/transport-netty4"
    for jar in "$home"/modules/transport-netty4/*.jar; do
      [ ! -f "$home/lib/$(basename "$jar")" ] || rm "$jar"
    done
    printf 'name=transport-netty4\ndescription=HTTP and node-to-node transport\nversion=%s\nelasticsearch.version=%s\njava.version=17\nclassname=org.elasticsearch.transport.netty4.Netty4Plugin\n' \
      "$version" "$version" > "$home/modules/transport-netty4/plugin-descriptor.properties"
    touch "$home/fetched"
  fi
  "$JAVA_HOME/bin/javac" -cp "$home/lib/*" -d "$home/classes-$major" "$here/EsNode.java"
  touch "$home/ready-$major"
fi
home=$(cd "$home" && pwd)

: > "$dir/pids"
names=''
seeds=''
for i in $(seq 1 "$nodes"); do
  names="$names${names:+,}n$i"
  seeds="$seeds${seeds:+,}127.0.0.1:$((http + 100 + i - 1))"
done
for i in $(seq 1 "$nodes"); do
  conf=$dir/n$i
  mkdir -p "$conf/logs" "$conf/data"
  cp "$here/log4j2.properties" "$conf/"
  cat > "$conf/elasticsearch.yml" <<YML
cluster.name: earmark-$http
node.name: n$i
path.data: $conf/data
path.logs: $conf/logs
network.host: 127.0.0.1
http.port: $((http + i - 1))
transport.port: $((http + 100 + i - 1))
discovery.seed_hosts: [$seeds]
cluster.initial_master_nodes: [$names]
cluster.routing.allocation.disk.threshold_enabled: false
YML
  vector=''
  [ "$major" -lt 21 ] || vector='--add-modules jdk.incubator.vector'
  # shellcheck disable=SC2086
  setsid "$JAVA_HOME/bin/java" -Xms"${ES_HEAP:-1g}" -Xmx"${ES_HEAP:-1g}" $vector \
    -cp "$home/classes-$major:$home/lib/*" EsNode "$home" "$conf" "n$i" > "$dir/n$i.log" 2>&1 < /dev/null &
  echo $! >> "$dir/pids"
done

url=http://127.0.0.1:$http
for _ in $(seq 1 480); do
  if curl -fsS "$url/_cluster/health?wait_for_nodes=$nodes&timeout=1s" 2> /dev/null | grep -q '"timed_out":false'; then
    echo "$url" | tee "$dir/url"
    exit 0
  fi
  sleep 0.5
done
tail -n 20 "$dir"/n*.log >&2
xargs kill < "$dir/pids" || true
exit 1
