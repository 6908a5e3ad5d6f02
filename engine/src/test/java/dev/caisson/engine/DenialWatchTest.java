package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.image.ProgressListener;
import dev.caisson.seccomp.Profile;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.DenialReasons;
import dev.caisson.watch.DenialWatch;
import dev.caisson.watch.LiveFilters;
import dev.caisson.watch.PidNamespace;
import dev.caisson.watch.WatchException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Containers whose filters deny by themselves, as other engines' do; what they do begins when a file is there.
@Timeout(180)
class DenialWatchTest extends BusyboxEngine {
    private static final Profile SOME = Profile.parse("""
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
              {"names": ["mkdir", "umask"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
              {"names": ["unshare"], "action": "SCMP_ACT_ERRNO", "errnoRet": 16,
               "args": [{"index": 0, "value": 268435456, "valueTwo": 268435456, "op": "SCMP_CMP_MASKED_EQ"}]},
              {"names": ["rmdir"], "action": "SCMP_ACT_KILL_PROCESS"},
              {"names": ["link"], "action": "SCMP_ACT_TRAP"},
              {"names": ["symlink"], "action": "SCMP_ACT_LOG"}]}""");

    @BeforeEach
    void onTheHost() {
        assumeTrue(PidNamespace.ofThisProcess().isInitial(), "the tests have a pid namespace of their own");
    }

    @Test
    void a_denied_call_is_told_with_its_arguments_process_place_and_rule() throws Exception {
        List<DenialWatch.Seen> seen =
                watch(busybox("sh", "-c", wait("mount -t tmpfs none /tmp")), Profile.standard(), isOf("mount"));

        assertThat(seen).filteredOn(isOf("mount")).singleElement().satisfies(one -> {
            Denial denial = one.denial();
            assertThat(denial.call()).startsWith("X86_64 mount(0x");
            assertThat(denial.answer()).isEqualTo("ERRNO(EPERM)");
            assertThat(denial.process()).isEqualTo("mount");
            assertThat(String.join(" ", denial.reasons())).contains("--cap-add SYS_ADMIN");
            assertThat(one.process()).isPositive();
        });
    }

    /// The loop of the shell goes on, so that it can be read about.
    @Test
    void of_a_process_that_goes_on_the_place_in_its_program_is_told() throws Exception {
        List<DenialWatch.Seen> seen =
                watch(under(wait("while true; do umask 0; sleep 0.02; done")), SOME, isOf("umask"));

        assertThat(seen).filteredOn(isOf("umask")).singleElement().satisfies(one -> {
            assertThat(one.denial().process()).isEqualTo("sh");
            assertThat(one.denial().executable()).endsWith("/bin/sh");
            assertThat(one.denial().location()).contains("/bin/sh+0x");
        });
    }

    @Test
    void an_error_of_the_kernels_own_is_not_told() throws Exception {
        List<DenialWatch.Seen> seen = watch(
                under(wait("mount -t tmpfs none /tmp; stat /none; ln -s a /tmp/s; unshare -n true; unshare -U true;"
                        + " mkdir /tmp/last")),
                SOME,
                isOf("mkdir"));

        assertThat(seen)
                .extracting(one -> one.denial().call().replaceAll("[(].*", "") + " "
                        + one.denial().answer())
                .containsExactlyInAnyOrder("X86_64 unshare ERRNO(EBUSY)", "X86_64 mkdir ERRNO(EPERM)");
        assertThat(seen)
                .filteredOn(isOf("unshare"))
                .singleElement()
                .satisfies(one -> assertThat(one.denial().call()).contains("CLONE_NEWUSER"));
    }

    @Test
    void a_call_that_kills_or_traps_is_the_reason_of_death() throws Exception {
        List<DenialWatch.Seen> seen =
                watch(under(wait("rmdir /tmp; ln /bin/sh /tmp/h; mkdir /tmp/last")), SOME, isOf("mkdir"));

        assertThat(seen)
                .filteredOn(isOf("rmdir"))
                .singleElement()
                .satisfies(one -> assertThat(one.denial().answer()).startsWith("KILL_PROCESS, by which it died"))
                .satisfies(one -> assertThat(one.denial().process()).isEqualTo("rmdir"));
        assertThat(seen)
                .filteredOn(isOf("link"))
                .singleElement()
                .satisfies(one -> assertThat(one.denial().answer()).startsWith("TRAP"));
    }

    /// The container's filter allows it, so that the process is asked for its own.
    @Test
    void a_call_that_a_filter_of_the_programs_own_denies_is_told() throws Exception {
        FilterAttackTest.build(directory, root);

        List<DenialWatch.Seen> seen = watch(under(wait("attack own")), SOME, isOf("getppid"));

        assertThat(seen).singleElement().satisfies(one -> {
            assertThat(one.denial().answer()).isEqualTo("ERRNO(EXDEV)");
            assertThat(one.denial().process()).isEqualTo("attack");
        });
    }

    /// As a 64-bit program, whose registers look like those of any other call: number 20 is writev there.
    @Test
    void an_entry_by_the_32_bit_abi_is_told_as_what_it_is() throws Exception {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "an x86_64 machine");
        FilterAttackTest.build(directory, root);

        List<DenialWatch.Seen> seen = watch(under(wait("attack int80 20")), SOME, isOf("getpid"));

        assertThat(seen).singleElement().satisfies(one -> {
            assertThat(one.denial().call()).startsWith("X86 getpid(");
            assertThat(one.denial().answer()).startsWith("KILL_PROCESS");
        });
    }

    /// Before that it has no filter that could be read, and dies too early to be asked for its own.
    @Test
    void a_program_that_comes_late_to_its_filter_is_waited_for() throws Exception {
        FilterAttackTest.build(directory, root);
        var later = new ArrayList<Thread>();
        Container container =
                engine.start(under(wait("attack int80 20")), Streams.capture(), ProgressListener.none(), standing -> {
                    signal("STOP", standing.pid());
                    later.add(Thread.startVirtualThread(() -> {
                        LockSupport.parkNanos(2_500_000_000L);
                        signal("CONT", standing.pid());
                    }));
                });
        try (DenialWatch watch = watch(container, SOME)) {
            later.getFirst().join();
            go(container);
            while (watch.next().stream().noneMatch(isOf("getpid"))) {
                Thread.sleep(5);
            }
        } finally {
            container.kill();
            container.await();
        }
    }

    private static void signal(String name, int pid) {
        try {
            assertThat(new ProcessBuilder("kill", "-" + name, Integer.toString(pid))
                            .start()
                            .waitFor())
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void calls_of_one_kind_are_told_once_with_their_number() throws Exception {
        var counted = new ArrayList<Denial>();
        watch(
                under(wait("for i in 1 2 3 4 5 6 7; do mkdir /tmp/a; done; unshare -U true")),
                SOME,
                isOf("unshare"),
                counted);

        assertThat(counted)
                .filteredOn(denial -> denial.call().contains("mkdir"))
                .singleElement()
                .extracting(Denial::count)
                .isEqualTo(7L);
    }

    @Test
    void a_flood_hides_no_other_kind_and_is_counted() throws Exception {
        Container container = engine.start(
                under(wait("for n in 1 2 3; do i=0; while [ $i -lt 200 ]; do i=$((i+1)); mkdir /tmp/a; done & done;"
                        + " unshare -U true; sleep 60")),
                Streams.capture());
        try (DenialWatch watch = watch(container, SOME)) {
            go(container);
            var seen = new ArrayList<DenialWatch.Seen>();
            while (seen.stream().noneMatch(isOf("unshare")) || count(watch, "mkdir") + watch.unexamined() < 600) {
                seen.addAll(watch.next());
                Thread.sleep(20);
            }
            assertThat(count(watch, "mkdir") + watch.unexamined()).isEqualTo(600);
        } finally {
            container.kill();
            container.await();
        }
    }

    @Test
    void the_rules_of_a_container_of_ours_are_those_that_its_filter_was_made_from() throws Exception {
        for (boolean asks : new boolean[] {false, true}) {
            Container container = engine.start(
                    busybox("sleep", "60")
                            .seccomp(
                                    asks
                                            ? new SeccompChoice.Watched(
                                                    new SeccompChoice.Standard(), SeccompChoice.Watch.TELL)
                                            : new SeccompChoice.Standard()),
                    Streams.capture());
            try {
                DenialReasons reasons = DenialReasons.ofHost(
                        LiveFilters.programOf(container.id().value(), OPTIONS.data(), OPTIONS.state()));
                assertThat(reasons.source()).isEqualTo("Caisson's default profile");
            } finally {
                container.kill();
                container.await();
            }
        }
    }

    @Test
    void a_process_of_the_host_is_refused_and_one_that_has_ended_is_told_so() {
        int self = (int) ProcessHandle.current().pid();

        DenialReasons reasons = DenialReasons.of("standard", Profile.standard(), self);

        assertThatThrownBy(() -> DenialWatch.of(self, reasons))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("HOST_PROCESS"));
        assertThatThrownBy(() -> DenialWatch.of(1 << 22, reasons))
                .isInstanceOfSatisfying(
                        WatchException.class, e -> assertThat(e.code()).isEqualTo("CONTAINER_ENDED"));
    }

    private static Predicate<DenialWatch.Seen> isOf(String call) {
        return seen -> seen.denial().call().contains(" " + call + "(");
    }

    private static long count(DenialWatch watch, String call) {
        return watch.denials().stream()
                .filter(denial -> denial.call().contains(" " + call + "("))
                .mapToLong(Denial::count)
                .sum();
    }

    private ContainerSpec under(String script) {
        return busybox("sh", "-c", script)
                .seccomp(new SeccompChoice.Custom("some", SOME))
                .allow(Allowance.UNCONFINED_SECCOMP);
    }

    private static String wait(String script) {
        return "while [ ! -e /tmp/go ]; do sleep 0.02; done; { " + script + "; } 2>/dev/null; sleep 60";
    }

    private static DenialWatch watch(Container container, Profile profile) {
        int program = LiveFilters.programOf(container.id().value(), OPTIONS.data(), OPTIONS.state());
        return DenialWatch.of(program, DenialReasons.of("given", profile, program));
    }

    private static void go(Container container) throws Exception {
        int program = LiveFilters.programOf(container.id().value(), OPTIONS.data(), OPTIONS.state());
        Files.createFile(Path.of("/proc/" + program + "/root/tmp/go"));
    }

    private List<DenialWatch.Seen> watch(ContainerSpec spec, Profile profile, Predicate<DenialWatch.Seen> last)
            throws Exception {
        return watch(spec, profile, last, new ArrayList<>());
    }

    /// What is seen until the last that is waited for.
    private List<DenialWatch.Seen> watch(
            ContainerSpec spec, Profile profile, Predicate<DenialWatch.Seen> last, List<Denial> counted)
            throws Exception {
        Container container = engine.start(spec, Streams.capture());
        var seen = new ArrayList<DenialWatch.Seen>();
        try (DenialWatch watch = watch(container, profile)) {
            go(container);
            while (seen.stream().noneMatch(last)) {
                seen.addAll(watch.next());
                Thread.sleep(5);
            }
            assertThat(watch.unexamined()).isZero();
            counted.addAll(watch.denials());
            return seen;
        } finally {
            container.kill();
            container.await();
        }
    }
}
