package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

class FilterCheckTest {
    private static final Filter STANDARD = compiled(Profile.standard());
    private static final Filter STRICT = compiled(Profile.strict());

    @Test
    void equal_bytes_are_as_planned_whatever_the_program_has_added() {
        FilterProgram planned = new FilterProgram(STRICT.bytes(), "");

        Verifier.Check alone = FilterCheck.compare(planned, List.of(STRICT.bytes()));
        Verifier.Check stacked = FilterCheck.compare(planned, List.of(STRICT.bytes(), STANDARD.bytes()));

        assertThat(alone.asPlanned()).isTrue();
        assertThat(alone.found()).startsWith("content as compiled: " + STRICT.length() + " instructions");
        assertThat(stacked.asPlanned()).isTrue();
        assertThat(stacked.found()).endsWith("and 1 more that can only tighten it");
    }

    @Test
    void another_filter_is_told_with_a_call_that_it_lets_through() {
        Verifier.Check check = FilterCheck.compare(new FilterProgram(STRICT.bytes(), ""), List.of(STANDARD.bytes()));

        assertThat(check.asPlanned()).isFalse();
        assertThat(check.found()).contains("let more through, as ");
    }

    @Test
    void one_changed_bit_is_another_filter() {
        byte[] changed = STANDARD.bytes();
        changed[changed.length - 4] ^= 1; // of the value that the last instruction returns

        assertThat(FilterCheck.compare(new FilterProgram(STANDARD.bytes(), ""), List.of(changed)))
                .matches(check -> !check.asPlanned())
                .extracting(Verifier.Check::found)
                .asString()
                .contains("decisions differ");
        assertThat(FilterCheck.compare(new FilterProgram(STANDARD.bytes(), ""), List.of()))
                .isEqualTo(new Verifier.Check(
                        "seccomp filter",
                        STANDARD.length() + " instructions, sha256 "
                                + STANDARD.sha256().substring(0, 16),
                        "none",
                        false));
    }

    private static Filter compiled(Profile profile) {
        return Compiler.compile(profile, new Target(Architecture.host(), new KernelVersion(6, 12), 0));
    }
}
