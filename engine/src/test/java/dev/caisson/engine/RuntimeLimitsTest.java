package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// The memory and CPU limits of a container, as language runtimes inside read them.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class RuntimeLimitsTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("runtimes"), Path.of("/var/lib/caisson-test"));

    static final List<Runtimes.LimitedRuntime> runtimes = Runtimes.ALL;

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    @ParameterizedTest
    @FieldSource("runtimes")
    void a_runtime_sees_the_limits_of_its_container(Runtimes.LimitedRuntime runtime) throws InterruptedException {
        assumeTrue(runtime.isInstalled(), runtime.program() + " is not installed");

        runtime.check(engine, Image.host());
    }

    @Test
    void a_container_sees_its_own_groups_alone_and_cannot_write_them() throws InterruptedException {
        RunResult result = engine.run(ContainerSpec.of(Image.host(), "sh", "-c", """
                find /sys/fs/cgroup -mindepth 3 -type d
                find /sys/fs/cgroup -name cgroup.procs | while read -r file; do
                  [ "$(wc -l <"$file")" -le 6 ] || echo "$file lists others"
                done
                find /sys/fs/cgroup -type f -o -type d | while read -r file; do [ -w "$file" ] && echo "$file is writable"; done
                awk '$5 ~ "^/sys/fs/cgroup" { seen[$5]++; if ($4 != "/" || $6 !~ /^ro,/) print } END { for (m in seen) if (seen[m] > 1) print m, "twice" }' /proc/self/mountinfo
                cut -d: -f3 /proc/self/cgroup | sort -u
                """));

        assertThat(result.stdout()).as(result.toString()).isEqualTo("/\n");
    }
}
