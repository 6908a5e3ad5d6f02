package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the driver of systemd's scopes refuses, with a code and what to do.
class SystemdRequirementsTest {
    @ParameterizedTest
    @EnumSource(Hierarchy.World.class)
    void without_systemd_as_process_one_there_is_no_scope(Hierarchy.World world) {
        assertRefused("SYSTEMD_MISSING", () -> SystemdScope.require(false, world));
    }

    @ParameterizedTest
    @EnumSource(
            value = Hierarchy.World.class,
            names = {"V1", "HYBRID"})
    void it_delegates_in_version_two_only(Hierarchy.World world) {
        assertRefused("SYSTEMD_NEEDS_V2", () -> SystemdScope.require(true, world));
    }

    @Test
    void in_version_two_with_systemd_nothing_is_refused() {
        SystemdScope.require(true, Hierarchy.World.V2);
    }

    @Test
    @Tag("root")
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void a_bus_that_does_not_answer_is_refused_and_nothing_is_made() {
        assumeFalse(Files.isDirectory(Path.of("/run/systemd/system")), "systemd answers here");
        String parent =
                SystemdScope.group("caisson-test-" + ProcessHandle.current().pid());
        try (var hierarchy = Hierarchy.detect()) {
            assertRefused(
                    "SYSTEMD_REFUSED",
                    () -> SystemdScope.enter(
                            hierarchy, parent, (int) ProcessHandle.current().pid()));

            assertThat(hierarchy.findParent(parent)).isEmpty();
        }
    }

    private static void assertRefused(String code, ThrowingCallable attempt) {
        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(attempt)
                .satisfies(e -> assertThat(e.code()).isEqualTo(code))
                .satisfies(e -> assertThat(e).hasMessageContaining("driver cgroupfs"));
    }
}
