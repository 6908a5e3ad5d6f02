package dev.caisson.cgroup;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Device rules bite in each version that this machine has: in the tree of version 1, and as a program of the unified
/// one.
@Tag("root")
@Timeout(120)
class DevicesTest {
    private static final Limits LIMITS = KernelTest.SMALL.devices(rules("c 1:11 r", "b 7:* m", "c 42:7 rw"));

    private static List<DeviceRule> rules(String... texts) {
        return List.of(texts).stream()
                .flatMap(text -> DeviceRule.parse(text).stream())
                .toList();
    }

    private static List<Hierarchy> worlds() throws IOException {
        List<Mounts.Mount> mounts = Mounts.parse(Files.readString(Path.of("/proc/self/mountinfo")));
        List<Mounts.Mount> unified =
                mounts.stream().filter(Mounts.Mount::unified).toList();
        List<Mounts.Mount> others =
                mounts.stream().filter(mount -> !mount.unified()).toList();
        return others.isEmpty()
                ? List.of(Hierarchy.of(unified))
                : List.of(Hierarchy.of(unified), Hierarchy.of(others), Hierarchy.of(mounts));
    }

    private interface Check {
        void in(Hierarchy hierarchy) throws Exception;
    }

    private static void inEachWorld(Check check) throws Exception {
        for (Hierarchy hierarchy : worlds()) {
            try (hierarchy) {
                try {
                    check.in(hierarchy);
                } finally {
                    hierarchy.removeStale(KernelTest.PARENT, _ -> true);
                    hierarchy.removeParent(KernelTest.PARENT);
                }
            }
        }
    }

    /// A tree of version 2 without controllers can restrict devices all the same.
    private static Limits limits(Hierarchy hierarchy) {
        return hierarchy.controllerNames().contains("memory")
                ? LIMITS
                : Limits.unlimited().devices(LIMITS.devices().orElseThrow());
    }

    @Test
    void only_the_devices_of_the_list_can_be_used() throws Exception {
        inEachWorld(hierarchy -> {
            Cgroup cgroup = hierarchy.create(KernelTest.PARENT, "devices", limits(hierarchy));

            try (Inside inside = Inside.start(cgroup, """
                    try() { if "$@" 2>/dev/null; then echo yes; else echo no; fi; }
                    d=$(mktemp -d)
                    try sh -c ': > /dev/null'
                    try sh -c 'head -c 1 /dev/zero >/dev/null'
                    try mknod $d/null c 1 3
                    try mknod $d/kmsg c 1 11
                    try mknod $d/loop b 7 200
                    try mknod $d/disk b 8 0
                    try mknod $d/char c 7 200
                    try mknod $d/none c 42 7
                    try sh -c ': < /dev/kmsg'
                    try sh -c ': > /dev/kmsg'
                    try sh -c ': < /dev/mem'
                    try sh -c ": < $d/loop"
                    rm -r $d
                    """)) {
                assertThat(inside.lines(12))
                        .as(hierarchy.toString())
                        .containsExactly("yes", "yes", "yes", "no", "yes", "no", "no", "no", "yes", "no", "no", "no");
            }
        });
    }

    @Test
    void the_rules_are_read_back_and_others_are_told() throws Exception {
        inEachWorld(hierarchy -> {
            Limits limits = limits(hierarchy);
            Cgroup cgroup = hierarchy.create(KernelTest.PARENT, "devices", limits);
            Cgroup open = hierarchy.create(
                    KernelTest.PARENT,
                    "open",
                    hierarchy.controllerNames().contains("memory") ? KernelTest.SMALL : Limits.unlimited());
            Cgroup other = hierarchy.create(KernelTest.PARENT, "other", limits.devices(rules("c 1:11 w")));
            List<KernelSetting> settings = cgroup.settings(limits).stream()
                    .filter(setting -> setting.limit().equals("devices"))
                    .toList();

            assertThat(settings).singleElement().satisfies(setting -> {
                assertThat(setting.value()).startsWith("b 7:* m, c 136:* rwm, c 1:11 r, c 1:3 rwm");
                assertThat(KernelSetting.parse(setting.toString())).isEqualTo(setting);
            });
            assertThat(cgroup.standing(settings)).allMatch(Cgroup.Standing::isAsPlanned);
            assertThat(other.standing(settings)).singleElement().satisfies(standing -> {
                assertThat(standing.isAsPlanned()).isFalse();
                assertThat(standing.found()).isNotEqualTo("none");
            });
            assertThat(open.standing(settings)).noneMatch(Cgroup.Standing::isAsPlanned);
        });
    }

    @Test
    void the_rules_stay_when_other_limits_change() throws Exception {
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            Cgroup cgroup = hierarchy.create(KernelTest.PARENT, "devices", LIMITS);
            List<KernelSetting> former = cgroup.settings(LIMITS);
            try {
                cgroup.update(LIMITS.pids(7), former);
                cgroup.update(KernelTest.SMALL.pids(8), former);

                assertThat(cgroup.effectiveLimits().pids().own()).isEqualTo(8);
                assertThat(cgroup.standing(former))
                        .filteredOn(standing -> standing.setting().limit().equals("devices"))
                        .singleElement()
                        .matches(Cgroup.Standing::isAsPlanned);
                assertThatExceptionOfType(CgroupException.class)
                        .isThrownBy(() -> cgroup.update(LIMITS.devices(rules("c 1:11 rw")), former))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.FIXED_LIMIT));
            } finally {
                hierarchy.removeStale(KernelTest.PARENT, _ -> true);
                hierarchy.removeParent(KernelTest.PARENT);
            }
        }
    }

    @Test
    void a_machine_that_knows_no_devices_refuses_or_tells() throws IOException {
        List<Mounts.Mount> mounts = Mounts.parse(Files.readString(Path.of("/proc/self/mountinfo")));
        List<Mounts.Mount> pids = mounts.stream()
                .filter(mount -> mount.controllers().contains("pids"))
                .toList();
        if (pids.isEmpty()) {
            return; // version 2 always can
        }
        Limits limits = Limits.unlimited().pids(20).devices(rules("c 1:11 r"));
        try (Hierarchy hierarchy = Hierarchy.of(pids)) {
            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> hierarchy.create(KernelTest.PARENT, "refused", limits))
                    .withMessageContaining("devices")
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.UNENFORCEABLE));

            Cgroup cgroup = hierarchy.create(KernelTest.PARENT, "told", limits.bestEffort(true));

            assertThat(cgroup.lacks()).extracting(Lack::limit).containsExactly("devices");
            assertThat(requireNonNull(cgroup.settings(limits.bestEffort(true))))
                    .extracting(KernelSetting::limit)
                    .doesNotContain("devices");
            cgroup.update(limits.bestEffort(true).pids(5), List.of());
            assertThat(cgroup.lacks()).extracting(Lack::limit).containsExactly("devices");
            cgroup.remove();
            hierarchy.removeParent(KernelTest.PARENT);
        }
    }
}
