# Sourced by the benchmarks: builds what they run.

# build_for_benchmarks [ROOM]: the benchmarks and what they need, and the test classes of a room; without the compiler's
# checks, and by a JVM that compiles with its first compiler alone, which saves minutes.
build_for_benchmarks() {
  local tests=-Dmaven.test.skip=true
  [[ ! ${1:-} ]] || tests=-DskipTests
  MAVEN_OPTS="${MAVEN_OPTS:-} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC" mvn -q -T "$(nproc)" -pl "benchmarks${1:+,$1}" -am package "$tests" \
    -Dspotless.check.skip=true -Dcaisson.errorprone=-XepDisableAllChecks
}
