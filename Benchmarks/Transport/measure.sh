#!/usr/bin/env bash
# measure.sh [PORT]: CPU time of the server per unary call (µs, user+system), by h2load (nghttp2-client).
set -eu
cd "$(dirname "$0")"
port=${1:-25000}
swift build -c release >&2
frame=$(mktemp)
trap 'rm -f "$frame"; kill "$server" 2>/dev/null || true' EXIT
{ printf '\0\0\0\1\54'; head -c 300 /dev/zero; } >"$frame"
ticks=$(getconf CLK_TCK)
printf '%-8s %5s %9s %8s %12s %10s %10s\n' answers conns 'in flight' calls 'µs CPU/call' calls/s 'mean'
for mode in now later; do
  .build/release/EchoServer "$port" "$mode" >/dev/null & server=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
  for setting in "1 1 30000" "1 256 500000" "4 64 500000" "1 32 300000"; do
    read -r conns flight calls <<<"$setting"
    cpu() { awk '{print $14 + $15}' "/proc/$server/stat"; }
    before=$(cpu)
    out=$(h2load -n "$calls" -c "$conns" -m "$flight" -d "$frame" -H 'content-type: application/grpc' \
      -H 'te: trailers' "http://127.0.0.1:$port/test.Echo/Unary")
    after=$(cpu)
    grep -q "$calls succeeded, 0 failed" <<<"$out" || { echo "$out" >&2; exit 1; }
    rate=$(sed -n 's/^finished in .*, \(.*\) req\/s.*/\1/p' <<<"$out")
    mean=$(awk '/^time for request/ {print $6}' <<<"$out")
    awk -v m="$mode" -v c="$conns" -v f="$flight" -v n="$calls" -v t=$((after - before)) -v hz="$ticks" \
      -v r="$rate" -v l="$mean" \
      'BEGIN {printf "%-8s %5d %9d %8d %12.2f %10s %10s\n", m, c, f, n, t / hz * 1e6 / n, r, l}'
  done
  kill "$server"; wait "$server" 2>/dev/null || true
done
