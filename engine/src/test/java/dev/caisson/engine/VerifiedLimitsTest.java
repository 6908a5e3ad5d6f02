package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.EffectiveLimits;
import dev.caisson.launch.PlanRecord;
import dev.caisson.launch.Verifier;
import dev.caisson.spec.Bytes;
import dev.caisson.state.ContainerRecord;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Which limits of a group are as planned: its own, unless a group above is stricter that nobody chose.
class VerifiedLimitsTest {
    private static final Bytes PLANNED = Bytes.mebibytes(32);

    private static ContainerRecord record() {
        return new ContainerRecord(
                "a".repeat(64),
                "web",
                "host",
                "caisson",
                1,
                2,
                3,
                4,
                PLANNED.count(),
                20,
                List.of(),
                List.of(),
                List.of("true"),
                Map.of(),
                15,
                10_000,
                new PlanRecord(0x7000_0000, List.of(), 1, 1, 1, List.of(), List.of(), ""));
    }

    private static List<Verifier.Check> checks(
            EffectiveLimits.Bound<Bytes> memory, EffectiveLimits.Bound<Long> pids, String path) {
        var none = new EffectiveLimits.Bound<>(Bytes.UNLIMITED, Bytes.UNLIMITED, "");
        return Verification.limits(
                record(),
                new EffectiveLimits(
                        memory, none, new EffectiveLimits.Bound<>(Optional.empty(), Optional.empty(), ""), pids),
                path);
    }

    private static <T> EffectiveLimits.Bound<T> own(T value) {
        return new EffectiveLimits.Bound<>(value, value, "/sys/fs/cgroup/own");
    }

    @Test
    void a_limit_is_told_as_planned_and_as_found() {
        assertThat(checks(own(PLANNED), own(20L), "caisson-1-2/id"))
                .containsExactly(
                        new Verifier.Check(
                                "memory limit",
                                PLANNED + " at caisson-1-2/id",
                                PLANNED + " at caisson-1-2/id, no lower ancestor",
                                true),
                        new Verifier.Check(
                                "process limit",
                                "20 at caisson-1-2/id",
                                "20 at caisson-1-2/id, no lower ancestor",
                                true));
        assertThat(checks(own(Bytes.mebibytes(31)), own(21L), "caisson-1-2/id"))
                .extracting(Verifier.Check::asPlanned)
                .containsExactly(false, false);
        assertThat(new Verification("id", checks(own(PLANNED), own(20L), "caisson/id")).isAsPlanned())
                .isTrue();
        assertThat(new Verification("id", checks(own(PLANNED), own(9L), "caisson/id")).isAsPlanned())
                .isFalse();
    }

    @Test
    void what_best_effort_does_not_enforce_is_told() {
        assertThat(Verification.lacks(List.of("cpus: no controller: none", "io weight: why")))
                .containsExactly(
                        new Verifier.Check(
                                "limit cpus",
                                "not enforced, by best effort",
                                "not enforced: no controller: none",
                                true),
                        new Verifier.Check(
                                "limit io weight", "not enforced, by best effort", "not enforced: why", true));
        assertThat(Verification.lacks(List.of())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "caisson-1-2/tenant-a/id, caisson-1-2/tenant-a, true",
        "caisson-1-2/tenant-a/id, caisson-1-2, false",
        "caisson-1-2/id, caisson-1-2, false",
        "batch/id, batch, true",
        "batch/id, other-batch/x, false",
        "batch/jobs/id, batch/jobs, true",
        "batch/jobs/id, batch, false",
    })
    void a_group_above_may_be_stricter_if_it_is_a_tenants_or_was_named(String path, String holder, boolean chosen) {
        String above = "/sys/fs/cgroup/pids/" + holder;
        List<Verifier.Check> checks = checks(own(PLANNED), new EffectiveLimits.Bound<>(20L, 7L, above), path);
        assertThat(checks.getLast().asPlanned()).isEqualTo(chosen);
        assertThat(checks.getLast().found()).isEqualTo("20 at " + path + ", lower at " + above);
        assertThat(checks(own(PLANNED), new EffectiveLimits.Bound<>(21L, 7L, above), path)
                        .getLast()
                        .asPlanned())
                .isFalse();
    }
}
