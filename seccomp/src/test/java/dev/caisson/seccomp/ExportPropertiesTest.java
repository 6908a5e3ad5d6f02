package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Any profile is refused, or its export decides the same when libseccomp compiles it. Needs Debian's
/// package libseccomp-dev.
@Tag("root")
class ExportPropertiesTest {
    @SuppressWarnings("NullAway.Init")
    private static Path directory;

    @SuppressWarnings("NullAway.Init")
    private static Libseccomp libseccomp;

    private static int exported;
    private static int refused;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        directory = Files.createTempDirectory("caisson-export");
        if (Libseccomp.isInstalled()) {
            libseccomp = new Libseccomp(directory);
        }
    }

    @AfterAll
    static void removeFiles() throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    @Test
    void an_export_decides_the_same_and_most_profiles_are_exported() {
        assumeTrue(Libseccomp.isInstalled(), "libseccomp-dev is not installed");
        Seeds.check(150, random -> assertExportDecidesTheSame(RandomProfiles.profile(random), target(random)));
        assertThat(exported).isGreaterThanOrEqualTo(refused);
    }

    private static void assertExportDecidesTheSame(Profile profile, Target target)
            throws IOException, InterruptedException {
        Optional<Profile> export = export(profile, target);
        if (export.isPresent()) {
            for (boolean tree : new boolean[] {false, true}) {
                assertDecidesTheSame(profile, target, libseccomp.compile(export.get(), target, tree));
            }
        }
    }

    private static Optional<Profile> export(Profile profile, Target target) {
        try {
            ProfileExport export = ProfileExport.of(profile, target);
            exported++;
            return Optional.of(Profile.parse(export.profile().toJson()));
        } catch (SeccompException e) {
            assertThat(e.reason()).isEqualTo(SeccompException.Code.NOT_EXPORTABLE);
            refused++;
            return Optional.empty();
        }
    }

    private static Target target(SplittableRandom random) {
        Architecture machine = Seeds.one(
                random, List.of(Architecture.X86_64, Architecture.AARCH64, Architecture.PPC64LE, Architecture.RISCV64));
        return new Target(machine, Calls.KERNEL, 0L);
    }

    /// libseccomp gives calls of other machines, which this one lacks, wrong numbers there; on their own
    /// machine it does not.
    private static boolean isMisplaced(String name, Target target) {
        return target.architecture() != Architecture.host()
                && SyscallTable.get().number(Architecture.host(), name).isEmpty();
    }

    /// Whole registers included. Left out are numbers that are no call, which libseccomp gives the default action, and
    /// the calls that carry others.
    static void assertDecidesTheSame(Profile profile, Target target, Libseccomp.Output theirs) {
        var random = new Random(5);
        var evaluator = new ProfileEvaluator(profile, target);
        var named = new HashSet<String>();
        profile.rules().forEach(rule -> named.addAll(rule.names()));
        List<Long> boundaries = Calls.boundaries(profile);
        for (SeccompData call : Calls.numbers(target.architecture())) {
            String name = evaluator.call(call).map(Syscall::name).orElse("");
            if (name.isEmpty()
                    || LibseccompTest.isHoleOfX32(call)
                    || theirs.unknown().contains(name)
                    || isMisplaced(name, target)
                    || name.equals("socketcall")
                    || name.equals("ipc")) {
                continue;
            }
            for (SeccompData with : Calls.withArguments(call, boundaries, named.contains(name) ? 60 : 2, random)) {
                Action meant = evaluator.decide(with);
                Action decided = Simulator.run(theirs.filter(), with).action();
                boolean foreign = call.arch() != target.architecture().auditValue()
                        || (call.number() & Architecture.X32_BIT) != 0;
                boolean otherError = !named.contains(name)
                        && foreign
                        && meant.kind() == Action.Kind.ERRNO
                        && decided.kind() == Action.Kind.ERRNO;
                if (!otherError && !decided.equals(meant)) { // the text of each call would take most of the time
                    assertThat(decided)
                            .as("%s of %s", CallText.of(with), profile)
                            .isEqualTo(meant);
                }
            }
        }
    }
}
