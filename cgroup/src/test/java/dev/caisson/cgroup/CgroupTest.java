package dev.caisson.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.caisson.cgroup.CgroupException.Code;
import dev.caisson.cgroup.Hierarchy.World;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The life of a group.
class CgroupTest extends KernelTest {

    @Test
    void the_kernel_holds_a_group_to_what_was_asked() {
        Cgroup cgroup = hierarchy.create(
                PARENT,
                "limits",
                Limits.defaults()
                        .memory(Bytes.of(Bytes.mebibytes(64).count() + 1))
                        .memorySwap(Bytes.mebibytes(80))
                        .cpus("0.5")
                        .pids(33));

        EffectiveLimits limits = cgroup.effectiveLimits();

        assertThat(limits.memory().own()).isEqualTo(Bytes.mebibytes(64));
        assertThat(limits.memory().effective()).isEqualTo(Bytes.mebibytes(64));
        assertThat(limits.memoryAndSwap().effective().count())
                .isCloseTo(Bytes.mebibytes(80).count(), within(Kernel.PAGE_SIZE));
        assertThat(limits.cpuQuota().effective()).contains(CpuQuota.cpus("0.5"));
        assertThat(limits.pids().effective()).isEqualTo(33);
        assertThat(limits.pids().holder()).endsWith(PARENT + "/limits");
    }

    @Test
    void counts_what_the_kernel_killed_for_memory() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "memory", SMALL);

        int status = Inside.run(cgroup, "head -c 64m /dev/zero | tail > /dev/null; exit 3");

        assertThat(status).isEqualTo(3); // the shell outlived tail
        long kills = cgroup.events().oomKills();
        assertThat(kills).isBetween(1L, 2L); // before tail has given its memory back, head may be killed too
        assertThat(cgroup.events().pidsRefused()).isZero();
        Usage.Memory memory = cgroup.usage().memory().orElseThrow();
        assertThat(memory.oomKills()).isEqualTo(kills);
        assertThat(memory.limit()).isEqualTo(Bytes.mebibytes(32));
        assertThat(memory.peak().orElseThrow()).isBetween(Bytes.mebibytes(30), Bytes.mebibytes(32));
        assertThat(memory.current()).isLessThanOrEqualTo(memory.peak().orElseThrow());
    }

    @Test
    void counts_how_often_the_memory_limit_was_hit() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "hits", SMALL.memorySwap(Bytes.UNLIMITED));

        Inside.run(cgroup, "head -c 64m /dev/zero | tail > /dev/null");

        assertThat(cgroup.usage().memory().orElseThrow().limitHits()).isPositive();
    }

    @Test
    void counts_the_forks_that_were_refused() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "pids", SMALL);

        try (Inside bomb = Inside.start(cgroup, "(while :; do sleep 30 & done) 2>/dev/null; echo refused; wait")) {
            assertThat(bomb.line()).isEqualTo("refused");

            Usage.Pids pids = cgroup.usage().pids().orElseThrow();
            assertThat(pids.refused()).isPositive();
            assertThat(pids.limit()).isEqualTo(20);
            assertThat(pids.current()).isBetween(18L, 20L);
            assertThat(cgroup.events().hasPidsRefused()).isTrue();
            assertThat(cgroup.events().hasOutOfMemory()).isFalse();

            cgroup.kill();
            cgroup.remove();
        }
    }

    @Test
    void a_plain_kill_is_no_event() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "plain", SMALL);

        int status = Inside.run(cgroup, "kill -9 $$");

        assertThat(status).isEqualTo(137);
        assertThat(cgroup.events()).isEqualTo(new Events(0, 0));
    }

    @Test
    void counts_cpu_time_and_holds_it_to_the_quota() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "cpu", SMALL.cpus("0.2"));

        long start = System.nanoTime();
        try (Inside loop = Inside.start(cgroup, "while :; do :; done")) {
            TimeUnit.MILLISECONDS.sleep(1500);
            // on a busy machine it may get less than its quota for a while; the time counts when it may go on
            for (int i = 0;
                    i < 100 && cgroup.usage().cpu().throttling().throttledTime().isZero();
                    i++) {
                TimeUnit.MILLISECONDS.sleep(100);
            }
            cgroup.kill();
            loop.status();
        }
        Usage.Cpu cpu = cgroup.usage().cpu();

        Duration allowed = Duration.ofNanos((System.nanoTime() - start) / 5).plusMillis(60);
        assertThat(cpu.total()).isBetween(Duration.ofMillis(50), allowed);
        assertThat(cpu.user().plus(cpu.system())).isCloseTo(cpu.total(), Duration.ofMillis(50));
        assertThat(cpu.throttling().throttledPeriods()).isPositive();
        assertThat(cpu.throttling().throttledTime()).isPositive();
    }

    @Test
    void kills_everything_inside_even_what_forks_and_ignores_signals() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "kill", SMALL);

        try (Inside forks = Inside.start(cgroup, "trap '' TERM HUP INT; (setsid sleep 100 &); " + Inside.FORKING)) {
            assertThat(forks.line()).isEqualTo("up");

            cgroup.kill();
            cgroup.remove();

            assertThat(forks.status()).isEqualTo(137);
        }
        assertThat(hierarchy.find(PARENT, "kill")).isEmpty();
    }

    @Test
    void a_process_joins_through_the_descriptors() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "join", SMALL);
        Process sleep = new ProcessBuilder("sleep", "100").start();
        try {
            for (Fd fd : cgroup.joinFds()) {
                try (fd) {
                    FileSystem.write(fd, Long.toString(sleep.pid()).getBytes(StandardCharsets.US_ASCII));
                }
            }
            try (Fd directory = cgroup.cloneInto().orElseThrow()) {
                FileSystem.writeText(directory, "cgroup.procs", Long.toString(sleep.pid()));
            }

            List<String> membership = Files.readAllLines(Path.of("/proc/" + sleep.pid() + "/cgroup"));
            assertThat(membership.stream().filter(line -> line.endsWith(":/" + PARENT + "/join")))
                    .hasSameSizeAs(cgroup.trees());
            assertThat(cgroup.processes()).containsExactly(sleep.pid());
        } finally {
            sleep.destroyForcibly().waitFor();
        }
    }

    @Test
    void a_name_is_taken_once() {
        hierarchy.create(PARENT, "twice", SMALL);

        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(() -> hierarchy.create(PARENT, "twice", SMALL))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.ALREADY_EXISTS));

        assertThat(hierarchy.find(PARENT, "twice").orElseThrow().trees()).isNotEmpty();
    }

    @Test
    void a_failure_leaves_no_group_in_any_tree() throws IOException {
        hierarchy.create(PARENT, "other", SMALL);
        Tree last = hierarchy.find(PARENT, "other").orElseThrow().trees().getLast();
        last.make(PARENT + "/half"); // so that the last tree refuses after the others agreed

        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(() -> hierarchy.create(PARENT, "half", SMALL))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.ALREADY_EXISTS));

        List<Tree> left = hierarchy.find(PARENT, "half").orElseThrow().trees();
        assertThat(left.size() == 1 && left.contains(last)).isTrue();
    }

    @Test
    void a_group_with_somebody_inside_is_not_removed() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "busy", SMALL);

        try (Inside sleeper = Inside.start(cgroup, "echo up; exec sleep 100")) {
            assertThat(sleeper.line()).isEqualTo("up");

            assertThatExceptionOfType(CgroupException.class)
                    .isThrownBy(() -> cgroup.remove(Duration.ofMillis(100)))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.BUSY))
                    .withMessageContaining(Long.toString(sleeper.pid()));
            assertThat(sleeper.isAlive()).isTrue();
        }
    }

    @Test
    void finds_and_removes_what_a_crash_left() throws Exception {
        Cgroup stale = hierarchy.create(PARENT, "stale", SMALL);
        hierarchy.create(PARENT, "kept", SMALL);
        try (Inside sleeper = Inside.start(stale, "echo up; exec sleep 100")) {
            assertThat(sleeper.line()).isEqualTo("up");
            // an engine that dies between two trees leaves half a group
            stale.trees().getFirst().make(PARENT + "/half");
            // and one that ran an engine inside leaves groups below
            stale.trees().getLast().make(PARENT + "/stale/exec");

            try (Hierarchy next = Hierarchy.detect()) {
                assertThat(next.leftovers(PARENT)).containsExactly("half", "kept", "stale");
                assertThat(next.removeStale(PARENT, name -> !name.equals("kept")))
                        .containsExactly("half", "stale");
                assertThat(next.leftovers(PARENT)).containsExactly("kept");
            }
            assertThat(sleeper.status()).isEqualTo(137);
        }
    }

    @Test
    void works_again_when_somebody_removed_the_parent() {
        hierarchy.create(PARENT, "first", SMALL).remove();
        for (Tree tree : hierarchy.trees()) {
            tree.removeAll(PARENT);
        }

        assertThat(hierarchy
                        .create(PARENT, "second", SMALL)
                        .usage()
                        .pids()
                        .orElseThrow()
                        .limit())
                .isEqualTo(20);
    }

    @Test
    void removing_twice_is_no_error() {
        Cgroup cgroup = hierarchy.create(PARENT, "gone", SMALL);

        cgroup.remove();
        cgroup.remove();

        assertThatExceptionOfType(CgroupException.class)
                .isThrownBy(cgroup::events)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Code.NO_SUCH_GROUP));
    }

    @Test
    void knows_the_world_from_what_is_mounted() {
        boolean one = hierarchy.trees().stream().anyMatch(tree -> !tree.isUnified());

        assertThat(hierarchy.world() == World.V2).isEqualTo(!one);
        assertThat(hierarchy.controllerNames()).contains("memory", "cpu", "pids");
    }

    @Test
    void kills_without_the_kernels_help() throws Exception {
        List<Tree> trees = hierarchy.world() == World.HYBRID
                ? hierarchy.trees().stream().filter(tree -> !tree.isUnified()).toList()
                : hierarchy.trees();
        var old = new Hierarchy(trees); // shares the trees of the other, which closes them
        Cgroup cgroup = old.create(PARENT, "old", SMALL);
        try (Inside forks = Inside.start(cgroup, Inside.FORKING)) {
            assertThat(forks.line()).isEqualTo("up");
            TimeUnit.MILLISECONDS.sleep(50);
            assertThat(cgroup.usage().cpu().total()).isPositive();
            assertThat(cgroup.cloneInto().isPresent()).isEqualTo(old.world() == World.V2);

            cgroup.killFrozen();
            cgroup.remove();

            assertThat(forks.status()).isEqualTo(137);
        }
    }

    @Test
    void stops_and_runs_on() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "pause", SMALL);
        try (Inside loop = Inside.start(cgroup, "echo up; while :; do :; done")) {
            assertThat(loop.line()).isEqualTo("up");
            assertThat(cgroup.isPaused()).isFalse();

            cgroup.pause();
            Duration before = cgroup.usage().cpu().total();
            TimeUnit.MILLISECONDS.sleep(200);
            Duration after = cgroup.usage().cpu().total();
            assertThat(cgroup.isPaused()).isTrue();
            assertThat(after).isEqualTo(before);

            cgroup.resume();
            TimeUnit.MILLISECONDS.sleep(200);
            assertThat(cgroup.isPaused()).isFalse();
            assertThat(cgroup.usage().cpu().total()).isGreaterThan(after);

            cgroup.pause();
            cgroup.kill();
            cgroup.remove();
            assertThat(loop.status()).isEqualTo(137);
        }
    }

    @Test
    void a_part_is_timed_and_ended_on_its_own() throws Exception {
        Cgroup cgroup = hierarchy.create(PARENT, "whole", SMALL);
        try (Inside first = Inside.start(cgroup, "echo up; exec sleep 100")) {
            assertThat(first.line()).isEqualTo("up");
            Subgroup part = cgroup.subgroup("exec-1");
            Process command = new ProcessBuilder("sh", "-c", "read go; while :; do :; done").start();
            for (Fd fd : part.joinFds()) {
                try (fd) {
                    FileSystem.write(fd, Long.toString(command.pid()).getBytes(StandardCharsets.US_ASCII));
                }
            }
            try (Fd directory = part.cloneInto().orElseThrow()) {
                FileSystem.writeText(directory, "cgroup.procs", Long.toString(command.pid()));
            }
            command.getOutputStream().write('\n');
            command.getOutputStream().flush();
            for (int i = 0; i < 100 && part.cpu().total().toMillis() <= 30; i++) {
                TimeUnit.MILLISECONDS.sleep(100);
            }

            assertThat(part.processes()).containsExactly(command.pid());
            assertThat(cgroup.usage().pids().orElseThrow().current()).isEqualTo(2);
            assertThat(part.cpu().total()).isGreaterThan(Duration.ofMillis(30));
            Duration alone = part.cpu().total();
            assertThat(cgroup.usage().cpu().total()).isGreaterThanOrEqualTo(alone);

            part.kill();
            part.remove();

            assertThat(command.waitFor()).isEqualTo(137);
            assertThat(first.isAlive()).isTrue();
        }
    }
}
