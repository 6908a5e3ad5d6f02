package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Language runtimes that look for the memory and CPU limits of the container that they run in.
final class Runtimes {
    private static final Bytes MEMORY = Bytes.mebibytes(256);

    /// One runtime that may be installed.
    ///
    /// @param program whose path shows that it is there
    /// @param script prints the limits, one in a line
    /// @param expected lines that are among those printed
    record LimitedRuntime(String name, String program, String script, List<String> expected) {
        boolean isInstalled() {
            return Files.exists(Path.of(program));
        }

        /// Runs it in a container with 256 MiB and one processor, from an image that holds it.
        void check(Engine engine, Image image) throws InterruptedException {
            ContainerSpec spec = ContainerSpec.of(image, "sh", "-c", script)
                    .limits(Limits.defaults().memory(MEMORY).cpus("1"));
            RunResult result = engine.run(spec);
            assertThat(result.stdout().lines()).as(name + ": " + result).containsAll(expected);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static final List<LimitedRuntime> ALL = List.of(
            java("8", "/usr/lib/jvm/java-8-openjdk-amd64/jre/bin/java"),
            java("11", "/usr/lib/jvm/java-11-openjdk-amd64/bin/java"),
            java("17", "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"),
            java("21", "/usr/lib/jvm/java-21-openjdk-amd64/bin/java"),
            java("25", "/usr/lib/jvm/java-25-openjdk-amd64/bin/java"),
            java(
                    "of this test",
                    Path.of(System.getProperty("java.home"), "bin/java").toString()),
            // libuv reads memory.limit_in_bytes or memory.max
            new LimitedRuntime(
                    "Node",
                    "/usr/bin/node",
                    "node -e 'console.log(\"memory\", process.constrainedMemory())'",
                    List.of("memory " + MEMORY.count())),
            new LimitedRuntime(
                    "shell scripts on version 1",
                    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                    "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us;"
                            + " cat cpuacct/cpuacct.usage cpuset/cpuset.cpus pids/pids.max >/dev/null && echo complete",
                    List.of(Long.toString(MEMORY.count()), "100000", "complete")));

    private Runtimes() {}

    /// Makes a small JVM of this one, which fits into an image.
    static void linkJava(Path directory) throws IOException, InterruptedException {
        if (!Files.exists(directory.resolve("bin/java"))) {
            Path jlink = Path.of(System.getProperty("java.home"), "bin/jlink");
            Process process = new ProcessBuilder(
                            jlink.toString(), "--add-modules", "java.base", "--output", directory.toString())
                    .inheritIO()
                    .start();
            assertThat(process.waitFor()).isZero();
        }
    }

    /// Puts that JVM, with the libraries that it needs, into a root file system.
    static LimitedRuntime copyJava(Path directory, Path root) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-euc", """
                mkdir -p "$2/opt" && cp -a "$1" "$2/opt/java"
                for library in $(ldd "$1/bin/java" "$1/lib/server/libjvm.so" | grep -oE '/[^ ]+[.]so[^ ]*' | sort -u); do
                  case $library in
                    "$1"/*) ;;
                    *) mkdir -p "$2$(dirname "$library")" && cp -L "$library" "$2$library" ;;
                  esac
                done""", "copy", directory.toString(), root.toString())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
        return java("of this test", "/opt/java/bin/java");
    }

    /// Without -Xmx, the heap of a JVM is at most half of the memory that it sees, and a JVM that sees 256 MiB is no
    /// server with several processors.
    static LimitedRuntime java(String version, String program) {
        return new LimitedRuntime(
                "Java " + version,
                program,
                "j=" + program + "; heap=$($j -XX:+PrintFlagsFinal -version 2>/dev/null |"
                        + " sed -nE 's/.* MaxHeapSize *:?= ([0-9]+) .*/\\1/p'); echo heap $heap;"
                        + " [ \"$heap\" -le " + MEMORY.count() / 2 + " ] && echo 'heap fits';"
                        + " $j -XshowSettings:system -version 2>&1 |"
                        + " sed -nE 's/^ *(Effective CPU Count): ([0-9]+).*/processors \\2/p;"
                        + " s/^ *Memory Limit: /memory limit /p'",
                List.of("heap fits", "processors 1", "memory limit 256.00M"));
    }
}
