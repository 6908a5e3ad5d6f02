package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a filter knows of its machine without the table of calls.
class FilterTest {
    private static Filter allowing(Architecture machine, String... names) {
        return Compiler.compile(
                CompilerTest.profileOf(Action.errno(1), Rule.of(Action.ALLOW, List.of(), names)),
                Calls.target(machine));
    }

    @ParameterizedTest
    @EnumSource
    void numbers_are_those_of_the_table(Architecture machine) {
        Filter all = Filter.allowing(machine);
        if (!machine.isNative()) {
            assertThatThrownBy(all::execveat).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(all::seccomp).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(all::letsSendMessages).isInstanceOf(IllegalArgumentException.class);
            return;
        }
        SyscallTable table = SyscallTable.get();
        assertThat(table.number(machine, "execveat")).hasValue(all.execveat());
        assertThat(table.number(machine, "seccomp")).hasValue(all.seccomp());
        assertThat(allowing(machine, "sendmsg").letsSendMessages()).isTrue();
        assertThat(allowing(machine, "execveat").letsSendMessages()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void the_start_of_the_program_is_asked_about_on_every_machine(Architecture machine) {
        if (machine.isNative()) {
            for (String other : new String[] {"read", "seccomp"}) {
                Filter plain = allowing(machine, "execveat", other);
                Filter asking = plain.asking();
                assertThat(asking.decide(machine, "execveat").kind()).isEqualTo(Action.Kind.NOTIFY);
                assertThat(asking.decide(machine, other)).isEqualTo(Action.ALLOW);
                assertThat(asking.unasking().bytes()).isEqualTo(plain.bytes());
            }
        }
    }

    @Test
    void one_instruction_asks_about_nothing() {
        Filter all = Filter.allowing(Architecture.X86_64);
        assertThat(all.unasking().bytes()).isEqualTo(all.bytes());
        long filterable = SyscallTable.get().calls(Architecture.X86_64).values().stream()
                .filter(Syscall::filterable)
                .count();
        assertThat(all.cacheableCalls()).isEqualTo((int) filterable);
        assertThat(filterable)
                .isLessThan(SyscallTable.get().calls(Architecture.X86_64).size());
    }
}
