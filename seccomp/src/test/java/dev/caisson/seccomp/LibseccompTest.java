package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A second opinion on what a profile means, for every architecture of this machine's byte order, from
/// Debian's packages libseccomp-dev and golang-github-containers-common. The two compilers mean different
/// things in some cases, which are left out here:
///
/// - an `int` argument is compared whole there and by 32 bits here: arguments here have clean upper halves;
/// - rules with and without conditions on one call: there the latter hold alone;
/// - several rules without conditions on one call, `setns` in Debian's profile: there the first holds, here the
/// strictest;
/// - several rules of several conditions on one call: there only the reference evaluator and the kernel are the judges;
/// - X32 numbers below 512 that X32 does not have.
@Tag("root")
class LibseccompTest {
    private static final Path DEBIAN_PROFILE = Path.of("/usr/share/containers/seccomp.json");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path directory;

    @SuppressWarnings("NullAway.Init")
    private static Libseccomp libseccomp;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        assumeTrue(Libseccomp.isInstalled(), "package libseccomp-dev is not installed");
        libseccomp = new Libseccomp(directory);
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"X86", "X32", "ARM", "S390X"},
            mode = EnumSource.Mode.EXCLUDE)
    void debians_profile_means_the_same(Architecture machine) throws IOException, InterruptedException {
        assumeTrue(Files.exists(DEBIAN_PROFILE), "package golang-github-containers-common is not installed");
        Profile profile = Profile.parse(Files.readString(DEBIAN_PROFILE));
        for (long capabilities : new long[] {0L, Calls.DEFAULT_CAPABILITIES, -1L}) {
            var target = new Target(machine, Calls.KERNEL, capabilities);
            Filter ours = Compiler.compile(profile, target);
            for (boolean tree : new boolean[] {false, true}) {
                Libseccomp.Output theirs = libseccomp.compile(profile, target, tree);
                assertThat(theirs.unknown()).isEmpty();
                assertSame(ours, theirs.filter(), Calls.boundaries(profile));
            }
        }
    }

    /// Few enough calls for each way through to be one jump.
    @Test
    void a_short_profile_means_the_same_in_the_other_byte_order() throws IOException, InterruptedException {
        Profile profile = CompilerTest.profileOf(
                Action.errno(38),
                Rule.of(Action.ALLOW, List.of(), "read", "write", "exit_group", "execveat"),
                Rule.of(Action.ALLOW, List.of(Condition.of(0, Condition.Operator.EQ, 10)), "socket"),
                Rule.of(Action.errno(13), List.of(Condition.masked(1, 0x7e020000L, 0x20000000L)), "clone"),
                Rule.of(Action.ALLOW, List.of(Condition.of(2, Condition.Operator.GT, 0x1_0000_0001L)), "mmap"));
        Target target = Calls.target(Architecture.S390X);
        Filter ours = Compiler.compile(profile, target);
        for (boolean tree : new boolean[] {false, true}) {
            Filter theirs = libseccomp.compile(profile, target, tree).filter();
            assertSame(ours, theirs, Calls.boundaries(profile));
            for (long third : new long[] {0, 0x1_0000_0001L, 0x1_0000_0002L, -1}) {
                SeccompData call = SeccompData.of(Architecture.S390X, 90, 0, 0, third);
                assertThat(theirs.decide(call)).isEqualTo(ours.decide(call));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"X86_64", "AARCH64", "RISCV64"})
    void an_exported_profile_decides_the_same_for_all_arguments(Architecture machine)
            throws IOException, InterruptedException {
        assumeTrue(Files.exists(DEBIAN_PROFILE), "package golang-github-containers-common is not installed");
        var target = new Target(machine, Calls.KERNEL, Calls.DEFAULT_CAPABILITIES);
        for (Profile profile :
                List.of(Profile.standard(), Profile.strict(), Profile.parse(Files.readString(DEBIAN_PROFILE)))) {
            Profile exported =
                    Profile.parse(ProfileExport.of(profile, target).profile().toJson());
            ExportPropertiesTest.assertDecidesTheSame(profile, target, libseccomp.compile(exported, target, true));
            if (machine == Architecture.X86_64) { // libseccomp's other form, which is slow to ask
                ExportPropertiesTest.assertDecidesTheSame(profile, target, libseccomp.compile(exported, target, false));
            }
        }
    }

    private static void assertSame(Filter ours, Filter theirs, List<Long> boundaries) {
        var random = new Random(2);
        List<Long> clean =
                boundaries.stream().map(value -> value & 0xffffffffL).distinct().toList();
        for (SeccompData call : Calls.numbers(ours.architecture())) {
            if (!isHoleOfX32(call) && !isSetns(call)) {
                for (SeccompData with : Calls.withArguments(call, clean, 12, random)) {
                    Action expected = Simulator.run(theirs, with).action();
                    Action decided = Simulator.run(ours, with).action();
                    boolean bothKill =
                            expected.kind() == Action.Kind.KILL_THREAD && decided.kind() == Action.Kind.KILL_PROCESS;
                    if (!bothKill && !decided.equals(expected)) { // the text of each call would take most of the time
                        assertThat(decided).as("%s", with).isEqualTo(expected);
                    }
                }
            }
        }
    }

    private static boolean isSetns(SeccompData call) {
        return java.util.Arrays.stream(Architecture.values())
                .filter(abi -> abi.auditValue() == call.arch())
                .anyMatch(abi -> SyscallTable.get()
                        .byNumber(abi, call.number() & ~Architecture.X32_BIT)
                        .filter(known -> known.name().equals("setns"))
                        .isPresent());
    }

    static boolean isHoleOfX32(SeccompData call) {
        return call.arch() == Architecture.X86_64.auditValue()
                && (call.number() & Architecture.X32_BIT) != 0
                && SyscallTable.get().byNumber(Architecture.X32, call.number()).isEmpty();
    }

    @Test
    void one_rule_of_any_conditions_means_the_same() throws IOException, InterruptedException {
        var random = new Random(8);
        for (int round = 0; round < 40; round++) {
            var rules = new ArrayList<Rule>();
            for (String name : List.of("mmap", "munmap", "brk", "mremap", "pread64", "preadv", "lseek", "writev")) {
                rules.add(Rule.of(Action.ALLOW, conditionsOnRegisters(name, random), name));
            }
            Profile profile = CompilerTest.profileOf(Action.errno(38), rules.toArray(Rule[]::new));
            Target target = Calls.target(Architecture.X86_64);
            Filter ours = Compiler.compile(profile, target);
            Filter theirs = libseccomp.compile(profile, target, round % 2 == 0).filter();
            List<Long> boundaries = Calls.boundaries(profile);
            for (int number : SyscallTable.get().calls(Architecture.X86_64).keySet()) {
                SeccompData call = SeccompData.of(Architecture.X86_64, number);
                for (SeccompData with : Calls.withArguments(call, boundaries, 100, random)) {
                    assertThat(Simulator.run(ours, with).action())
                            .as("%s of %s", with, profile)
                            .isEqualTo(Simulator.run(theirs, with).action());
                }
            }
        }
    }

    /// One or two conditions on arguments that the call takes as whole registers.
    private static List<Condition> conditionsOnRegisters(String name, Random random) {
        Syscall call = SyscallTable.get().byName(name).orElseThrow();
        var wide = new ArrayList<Integer>();
        for (int index = 0; index < call.widths().length(); index++) {
            if (call.bits(Architecture.X86_64, index) == 64) {
                wide.add(index);
            }
        }
        java.util.Collections.shuffle(wide, random);
        var conditions = new ArrayList<Condition>();
        for (int index : wide.subList(0, Math.min(wide.size(), 1 + random.nextInt(2)))) {
            Condition.Operator[] operators = Condition.Operator.values();
            long value = random.nextLong() >>> random.nextInt(64);
            conditions.add(new Condition(
                    index, operators[random.nextInt(operators.length)], value, value & random.nextLong()));
        }
        return conditions;
    }
}
