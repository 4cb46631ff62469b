# SPDX-License-Identifier: BSD-2-Clause
# stages.sh -- what `./dev check` is made of; read by dev, which has the trees and the packages
#
# A stage is a function run into a log under build/check; what it counts are its lines
# "N passed, M failed, K skipped". A stage without such lines counts as one.

# Floors with threads: what ThreadSanitizer is for.
threaded="net serve ctl"

# Live tests that are repeated under the sanitizers; the others take too long there.
repeated="churn config dig dot forward limits packets random reload resolve signed sources tcp traps"

# sums: the counts in what is read, as "passed failed skipped"
sums() {
	sed -nE 's/^(.*[^0-9])?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*$/\2 \3 \5/p' |
		awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }'
}

# stage NAME COMMAND...: runs it in a process of its own and prints one line
stage() {
	name=$1
	shift
	log=build/check/$name.log
	since=$(date +%s%N)
	set +e
	(set -e && "$@") >"$log" 2>&1 </dev/null
	code=$?
	set -e
	took=$((($(date +%s%N) - since) / 100000000))
	read -r p f s <<COUNTS
$(sums <"$log")
COUNTS
	[ $code = 0 ] || [ "$f" != 0 ] || f=1
	[ $((p + f + s)) != 0 ] || p=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	verdict=ok
	[ "$f" = 0 ] || verdict=FAILED
	printf '%-7s%-24s%6s s  %s passed, %s failed, %s skipped\n' \
		"$verdict" "$name" "$((took / 10)).$((took % 10))" "$p" "$f" "$s"
	if [ "$f" != 0 ]; then
		{
			grep -E '^(FAIL|ERROR)|Sanitizer|runtime error' "$log" || true
			grep -E '[:,](error|fatal|warning):|: error: ' "$log" || true
		} | head -n 20 | sed 's/^/	/'
		echo "	... the end of $log:"
		tail -n 15 "$log" | sed 's/^/	/'
	fi
}

# counted TREE LOG...: what automake's tests counted: check's sums, a replay's, or one for a
# program that has none
counted() {
	name=$1
	shift
	p=0 f=0 s=0
	for log in "$@"; do
		result=$(sed -n 's/^:test-result: *//p' "${log%.log}.trs" | head -n 1)
		read -r good bad <<-COUNTS
			$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p
				s/^([0-9]+) passed, ([0-9]+) failed$/\1 \2 0 sum/p
				s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3 all/p' "$log" |
				awk '$4 == "all" { b += $2; p += $1 + $3; next }
				{ b += $2 + $3; p += $4 ? $1 : $1 - $2 - $3 } END { print p + 0, b + 0 }')
		COUNTS
		skips=$(grep -c '^skipped:' "$log" || true)
		case $result in
		PASS) [ "$good" != 0 ] || good=1 ;;
		SKIP) good=0 && [ "$skips" != 0 ] || skips=1 ;;
		*) [ "$bad" != 0 ] || bad=1 ;;
		esac
		good=$((good > skips ? good - skips : 0))
		[ "$bad" = 0 ] || { echo "FAIL $log" && tail -n 30 "$log"; }
		grep '^skipped:' "$log" || true
		p=$((p + good)) f=$((f + bad)) s=$((s + skips))
	done
	echo "$name: $p passed, $f failed, $s skipped"
	[ "$f" = 0 ]
}

# made TREE [FLOOR]: make check, of one floor's unit tests or of all; compiled first, so that no
# compiler is in the way of a test that measures time
made() {
	made=build/$1
	if [ -n "${2:-}" ]; then
		tests=$(make -s -C "$made" print-tests | tr ' ' '\n' | grep -E "^tests/(unit/)?$2/" | xargs)
		set -- "$1" TESTS="$tests" check_PROGRAMS="$tests"
	fi
	name=$1
	shift
	make -s -C "$made" -j"$jobs" check "$@" TESTS= || return 1
	find "$made/tests" -name '*.trs' -delete
	$aslr make -s -C "$made" check "$@" || true
	# shellcheck disable=SC2046
	counted "$name" $(find "$made/tests" -name '*.trs' | sed 's/\.trs$/.log/' | sort)
}
aslr=

# randomless: ThreadSanitizer of today's compilers cannot live with much address randomisation
randomless() {
	echo 'int main(void) { return 0; }' >build/check/probe.c
	clang -fsanitize=thread -o build/check/probe build/check/probe.c
	for try in 1 2 3 4 5 6 7 8; do
		build/check/probe >/dev/null 2>&1 || {
			aslr="setarch -R"
			return 0
		}
	done
}

# live TREE [NAMES]: the daemon of build/TREE asked over real sockets
live() {
	tree=$1
	shift
	[ $# != 0 ] || set -- $(cd tests/live && ls -d test_* | sed 's/^test_//')
	bad=0
	for name in "$@"; do
		case $name in
		-*) continue ;;
		esac
		[ -x "tests/live/test_$name" ] || continue
		since=$(date +%s)
		code=0
		$aslr timeout -k 10 600 "tests/live/test_$name" "build/$tree/rootward" $long || code=$?
		echo "test_$name took $(($(date +%s) - since)) s"
		[ $code = 0 ] || {
			bad=1
			echo "FAIL tests/live/test_$name $tree: exit $code"
		}
	done
	return $bad
}
long=

lint() {
	bad=0
	for program in tests/lint/*; do
		[ ! -x "$program" ] || "$program" || bad=1
	done
	return $bad
}

# fuzz [SECONDS] [TARGETS]: each target with its corpus; what crashes it is left in build/fuzz/NAME
fuzz() {
	seconds=60
	case ${1:-} in
	[0-9]*) seconds=$1 && shift ;;
	esac
	tree fuzz
	[ $# != 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/')
	bad=0
	for target in "$@"; do
		new=build/fuzz/found/$target
		mkdir -p "$new" "tests/fuzz/corpus/$target"
		make -s -C build/fuzz -j"$jobs" "tests/fuzz/fuzz_$target"
		if build/fuzz/tests/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 \
			-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build/fuzz/$target-" \
			"$new" "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1; then
			echo "$target: clean: $(sed -n 's/^stat::number_of_executed_units: *//p' \
				"build/fuzz/$target.log") inputs in $seconds s"
		else
			bad=1
			echo "$target: FAILED, see build/fuzz/$target.log and build/fuzz/$target-*"
		fi
	done
	return $bad
}

# install_check: what `make install` puts where
install_check() {
	rm -rf build/image
	make -s -C build/plain install DESTDIR="$PWD/build/image"
	(cd build/image && find . -type f -o -type l | sort)
}

check() {
	rm -rf build/check
	mkdir -p build/check
	began=$(date +%s)
	passed=0 failed=0 skipped=0
	[ "${1:-}" != --long ] || long=--long
	stage peers tests/bench/peers
	stage build build
	stage lint lint
	stage unit made plain
	stage build-clang tree clang
	stage unit-clang made clang
	stage build-asan tree asan
	stage unit-asan made asan
	stage build-tsan tree tsan
	randomless
	for floor in $threaded; do
		[ ! -d "tests/unit/$floor" ] || stage "unit-tsan-$floor" made tsan "$floor"
	done
	aslr=
	stage live live plain
	stage live-asan live asan $repeated
	randomless
	stage live-tsan live tsan $repeated
	aslr=
	cat build/check/*.log | grep '^skipped:' | sort -u | head -n 20 || true
	grep -E '^(FAIL|ERROR)' build/check/*.log || true # once more, where the eye is
	echo "./dev check took $(($(date +%s) - began)) s; logs are under build/check"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}
