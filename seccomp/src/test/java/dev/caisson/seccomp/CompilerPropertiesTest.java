package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The filter of any profile decides as the reference evaluator does.
class CompilerPropertiesTest {
    @Test
    void the_filter_decides_as_the_profile() {
        Seeds.check(300, random -> assertDecidesTheSame(RandomProfiles.profile(random), target(random)));
    }

    private static void assertDecidesTheSame(Profile profile, Target target) {
        Filter filter = Compiler.compile(profile, target);
        var evaluator = new ProfileEvaluator(profile, target);
        var random = new Random(11);
        List<Long> boundaries = Calls.boundaries(profile);
        for (SeccompData call : Calls.numbers(target.architecture())) {
            boolean named = SyscallTable.get()
                    .byNumber(target.architecture(), call.number() & ~Architecture.X32_BIT)
                    .filter(known -> RandomProfiles.NAMES.contains(known.name()))
                    .isPresent();
            for (SeccompData with : Calls.withArguments(call, boundaries, named ? 200 : 1, random)) {
                assertThat(Simulator.run(filter, with).action()).as("%s", with).isEqualTo(evaluator.decide(with));
            }
        }
    }

    private static Target target(SplittableRandom random) {
        return new Target(
                Seeds.one(
                        random,
                        List.of(
                                Architecture.X86_64,
                                Architecture.AARCH64,
                                Architecture.S390X,
                                Architecture.PPC64LE,
                                Architecture.RISCV64,
                                Architecture.LOONGARCH64)),
                KernelVersion.parse(Seeds.one(random, List.of("4.4", "5.10", "6.1", "6.18"))),
                Seeds.one(random, List.of(0L, 1L << 21)));
    }
}
