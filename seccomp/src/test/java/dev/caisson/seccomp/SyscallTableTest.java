package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SyscallTableTest {
    private final SyscallTable table = SyscallTable.get();

    /// Needs Debian's package linux-libc-dev, which every C compiler brings. Where this fails, a newer kernel's headers
    /// hold calls that nobody has looked at: class them in `groups.txt` and run the generator.
    @Test
    void every_call_of_the_installed_headers_is_classed() throws IOException {
        for (Architecture abi : Architecture.values()) {
            assumeTrue(Files.exists(SyscallTableGenerator.header(abi)), "no headers of " + abi + " are installed");
        }
        Map<String, String> groups = SyscallTableGenerator.groups();
        SyscallTableGenerator.headers().forEach((name, numbers) -> {
            assertThat(groups).as("groups.txt").containsKey(name);
            numbers.forEach(
                    (abi, number) -> assertThat(table.byNumber(abi, number).map(Syscall::name))
                            .as("number %d of %s", number, abi)
                            .contains(name));
        });
    }

    @Test
    void the_newest_of_calls_that_an_abi_does_not_have_is_none() {
        assertThat(table.newest(Architecture.X86_64, Set.of())).isEqualTo(-1);
        assertThat(table.newest(Architecture.X86_64, Set.of("no_such_call"))).isEqualTo(-1);
        assertThat(table.newest(Architecture.X86_64, Set.of("read"))).isZero();
        assertThat(table.newest(Architecture.X86_64, Set.of("read", "write", "dup")))
                .isEqualTo(32);
    }

    @Test
    @Tag("root")
    void every_call_that_the_running_kernel_traces_has_the_widths_it_declares() throws IOException {
        assumeTrue(Files.isDirectory(Path.of("/sys/kernel/tracing/events/syscalls")), "tracefs is not mounted");
        SyscallTableGenerator.events()
                .forEach((name, widths) -> assertThat(table.byName(name).map(Syscall::widths))
                        .as(name)
                        .contains(widths));
    }

    @Test
    void an_argument_is_as_wide_as_the_abi_reads_it() {
        assertThat(bits("socket", Architecture.X86_64, 0)).isEqualTo(32);
        assertThat(bits("ioctl", Architecture.S390X, 1)).isEqualTo(32);
        assertThat(bits("ioctl", Architecture.X86_64, 2)).isEqualTo(64);
        assertThat(bits("ioctl", Architecture.X86, 2)).isEqualTo(32);
        assertThat(bits("chmod", Architecture.X86_64, 1)).isEqualTo(16);
        assertThat(bits("setuid", Architecture.X86_64, 0)).isEqualTo(32);
        assertThat(bits("setuid", Architecture.X86, 0)).isEqualTo(16);
        assertThat(bits("setuid32", Architecture.X86, 0)).isEqualTo(32);
    }

    @Test
    void x32s_numbers_are_found_with_and_without_their_bit() {
        assertThat(table.byNumber(Architecture.X32, 512 | Architecture.X32_BIT))
                .isEqualTo(table.byNumber(Architecture.X32, 512))
                .map(Syscall::name)
                .contains("rt_sigaction");
    }

    private int bits(String name, Architecture abi, int index) {
        return table.byName(name).orElseThrow().bits(abi, index);
    }

    @Test
    void numbers_that_are_private_to_an_architecture_are_not_the_newest() {
        SyscallTable table = SyscallTable.get();
        assertThat(table.number(Architecture.ARM, "set_tls")).hasValue(0xf0005);
        assertThat(table.newest(Architecture.ARM, Set.of("set_tls", "read"))).isEqualTo(3);
        assertThat(table.newest(Architecture.ARM, Set.of("set_tls"))).isEqualTo(-1);
    }
}
