package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/// Whatever a profile says, its filter decides as the reference evaluator does.
class CompilerPropertiesTest {
    @Property(tries = 300)
    void theFilterDecidesAsTheProfile(@ForAll("profiles") Profile profile, @ForAll("targets") Target target) {
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

    @Provide
    Arbitrary<Profile> profiles() {
        return RandomProfiles.profiles();
    }

    @Provide
    Arbitrary<Target> targets() {
        return Combinators.combine(
                        Arbitraries.of(
                                Architecture.X86_64,
                                Architecture.AARCH64,
                                Architecture.S390X,
                                Architecture.PPC64LE,
                                Architecture.RISCV64,
                                Architecture.LOONGARCH64),
                        Arbitraries.of("4.4", "5.10", "6.1", "6.18").map(KernelVersion::parse),
                        Arbitraries.of(0L, 1L << 21))
                .as((architecture, kernel, capabilities) -> new Target(architecture, kernel, capabilities));
    }
}
