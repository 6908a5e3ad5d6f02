package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Profile;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.DenialLog;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A program in a container tries the ways around its filter, on the running kernel: one that denies by
/// itself, and one that asks the engine before it does. It is built with gcc.
@ParameterizedClass
@ValueSource(booleans = {false, true})
class FilterAttackTest extends BusyboxEngine {
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    private static final int SIGSYS = 31;
    private static final int EBUSY = 16;
    private static final int EINVAL = 22;

    @Parameter
    boolean watched;

    /// A line of the program: what it tried and how the call ended.
    private record Try(String what, long number, boolean ok, int errno) {
        private static Try parse(String line) {
            String[] words = line.split(" ", -1);
            return new Try(words[0], Long.parseLong(words[1]), words[2].equals("0"), Integer.parseInt(words[3]));
        }
    }

    @BeforeEach
    void build() throws Exception {
        build(directory, root);
    }

    /// Builds the program, `attack`, for a root.
    static void build(Path directory, Path root) throws Exception {
        Path source = directory.resolve("attack.c");
        try (InputStream stream = Objects.requireNonNull(FilterAttackTest.class.getResourceAsStream("attack.c"))) {
            Files.write(source, stream.readAllBytes());
        }
        Process compiler = new ProcessBuilder(
                        "gcc",
                        "-static",
                        "-O1",
                        "-Wall",
                        "-Werror",
                        "-pthread",
                        "-o",
                        root.resolve("bin/attack").toString(),
                        source.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(compiler.exitValue()).as(output).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 1, 2, 5, 120, 165})
    void an_entry_by_the_32_bit_abi_kills(int number) throws Exception {
        assumeX86();

        RunResult result = engine.run(attack("int80", Integer.toString(number)));

        assertThat(result.verdict()).isEqualTo(Verdict.SECCOMP);
        assertThat(result.signal()).isEqualTo(SIGSYS);
        assertThat(result.stdout()).isEmpty();
    }

    @Test
    void numbers_of_x32_are_unknown_calls() throws Exception {
        assumeX86();
        assertThat(tries("x32")).hasSize(8).allMatch(tried -> !tried.ok() && tried.errno() == ENOSYS);
    }

    @Test
    void numbers_that_no_call_has_are_unknown_calls() throws Exception {
        assertThat(tries("holes")).hasSize(10).allMatch(tried -> !tried.ok() && tried.errno() == ENOSYS);
    }

    @Test
    void the_upper_half_of_a_register_opens_no_family() throws Exception {
        var outcomes = new TreeMap<Long, Set<String>>();
        for (Try tried : tries("families")) {
            outcomes.computeIfAbsent(tried.number(), n -> new TreeSet<>()).add(tried.ok() + " " + tried.errno());
        }

        assertThat(outcomes).hasSize(64);
        outcomes.forEach(
                (family, seen) -> assertThat(seen).as("family %s", family).hasSize(1));
        assertThat(outcomes.entrySet().stream()
                        .filter(outcome -> outcome.getValue().contains("true 0"))
                        .map(java.util.Map.Entry::getKey))
                .containsExactly(1L, 2L, 10L, 16L);
    }

    @Test
    void no_way_of_making_a_process_makes_a_namespace() throws Exception {
        List<Try> tries = tries("namespaces");

        assertThat(tries).hasSizeGreaterThan(40).noneMatch(Try::ok);
        assertThat(tries)
                .filteredOn(tried -> tried.what().equals("clone3"))
                .isNotEmpty()
                .allMatch(tried -> tried.errno() == ENOSYS);
        assertThat(tries).filteredOn(tried -> !tried.what().equals("clone3")).allMatch(tried -> tried.errno() == EPERM);
    }

    @Test
    void io_uring_is_not_there() throws Exception {
        assertThat(tries("asynchronous")).hasSize(3).noneMatch(Try::ok);
    }

    @Test
    void a_filter_of_the_programs_own_takes_nothing_back_in_any_thread() throws Exception {
        List<Try> tries = tries("threads");

        assertThat(tries).filteredOn(tried -> tried.what().equals("tsync")).allMatch(Try::ok);
        assertThat(tries)
                .filteredOn(tried -> tried.what().equals("thread"))
                .hasSize(8)
                .noneMatch(Try::ok)
                .allMatch(tried -> tried.errno() == EPERM);
    }

    @Test
    void stacked_filters_take_nothing_back_in_the_process_and_its_children() throws Exception {
        List<Try> tries = tries("stacked");

        assertThat(tries)
                .filteredOn(tried -> tried.what().equals("stack"))
                .hasSize(5)
                .allMatch(Try::ok);
        assertThat(tries)
                .filteredOn(tried -> !tried.what().equals("stack"))
                .hasSize(8)
                .allMatch(tried -> tried.errno() == EPERM);
    }

    @Test
    void under_the_strict_profile_not_even_the_allowed_families_open() throws Exception {
        RunResult result = engine.run(under(new SeccompChoice.Strict(), "families"));

        assertThat(result.stdout().lines().map(Try::parse)).noneMatch(Try::ok);
    }

    /// A descriptor would keep the filter when the process is gone, and nothing would bound their number.
    @Test
    void a_listener_of_the_programs_own_is_refused() throws Exception {
        List<Try> tries = tries(engine.run(attack("listener")));

        assertThat(tries.getFirst().ok()).isFalse();
        assertThat(tries.getFirst().errno()).isEqualTo(EINVAL);
        assertThat(tries.subList(1, tries.size())).hasSize(4).allMatch(tried -> tried.errno() == EPERM);
    }

    @Test
    void a_listener_that_a_profile_allows_works_where_the_engine_has_none_and_opens_nothing() throws Exception {
        Profile standard = Profile.standard();
        Profile allowing = new Profile(
                standard.defaultAction(),
                standard.abis(),
                standard.flags(),
                "",
                "",
                standard.rules().stream()
                        .filter(rule -> !rule.names().contains("seccomp")
                                || rule.action().kind() == Action.Kind.ALLOW)
                        .toList());
        RunResult result = engine.run(under(new SeccompChoice.Custom("listening", allowing), "listener"));
        List<Try> tries = tries(result);

        assertThat(tries.getFirst().ok()).isEqualTo(!watched);
        assertThat(tries.getFirst().errno()).isEqualTo(watched ? EBUSY : 0);
        assertThat(tries.subList(1, tries.size())).hasSize(4).allMatch(tried -> tried.errno() == EPERM);
        assertThat(result.denials().stream()
                        .filter(denial -> denial.answer().equals("ERRNO(EBUSY)"))
                        .map(denial -> String.join(" ", denial.reasons())))
                .hasSize(watched ? 1 : 0)
                .allMatch(reason -> reason.contains("--seccomp-mode quiet"));
    }

    @Test
    void a_flood_of_denied_calls_gets_so_many_answers_and_no_more() throws Exception {
        RunResult result = engine.run(attack("flood"));
        long calls = Long.parseLong(result.stdout().strip().split(" ", -1)[1]);

        if (watched) {
            assertThat(calls).isBetween(100L, DenialLog.MOST_ANSWERS * (2_050_000_000L / DenialLog.WINDOW_NANOS + 1));
            assertThat(result.denials())
                    .singleElement()
                    .extracting(Denial::count)
                    .isEqualTo(calls);
        } else {
            assertThat(calls).isGreaterThan(10_000);
        }
    }

    /// A listener cannot kill, so that the engine is not asked under such a profile.
    @Test
    void a_profile_that_kills_for_an_execveat_kills() throws Exception {
        Profile profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                  {"names": ["mount"], "action": "SCMP_ACT_ERRNO"},
                  {"names": ["execveat"], "action": "SCMP_ACT_KILL_PROCESS",
                   "args": [{"index": 4, "value": 4096, "op": "SCMP_CMP_EQ"}]}]}""");

        RunResult result = engine.run(
                under(new SeccompChoice.Custom("kills", profile), "execveat").allow(Allowance.UNCONFINED_SECCOMP));

        assertThat(result.verdict()).isEqualTo(Verdict.SECCOMP);
        assertThat(result.signal()).isEqualTo(SIGSYS);
    }

    private ContainerSpec attack(String... way) {
        return under(new SeccompChoice.Standard(), way);
    }

    private ContainerSpec under(SeccompChoice choice, String... way) {
        String[] command = Stream.concat(Stream.of("attack"), Stream.of(way)).toArray(String[]::new);
        return busybox(command).seccomp(watched ? new SeccompChoice.Watched(choice, SeccompChoice.Watch.TELL) : choice);
    }

    private List<Try> tries(String way) throws InterruptedException {
        return tries(engine.run(attack(way)));
    }

    private static List<Try> tries(RunResult result) {
        assertThat(result.exitStatus()).as(result.stderr()).isZero();
        return result.stdout().lines().map(Try::parse).toList();
    }

    private static void assumeX86() {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "an x86_64 machine");
    }
}
