package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestrictionTest {
    private static final Action EPERM = Action.errno(1);
    private static final Target TARGET = Calls.target(Architecture.X86_64);
    private static final List<Restriction> WRITABLE = List.of(Restriction.VOLUMES, Restriction.WRITABLE_VOLUMES);

    private static Action decide(Filter filter, String call, long... arguments) {
        return filter.decide(Architecture.X86_64, call, arguments);
    }

    @Test
    void modes_of_set_id_files_are_denied_and_all_others_are_not() {
        Filter filter = Compiler.compile(Profile.standard().under(WRITABLE), TARGET);

        for (int bit : new int[] {04000, 02000, 06000}) {
            for (String call : List.of("chmod", "fchmod", "creat", "mknod")) {
                assertThat(decide(filter, call, 0, 0755)).as(call).isEqualTo(Action.ALLOW);
                assertThat(decide(filter, call, 0, 01777)).as(call).isEqualTo(Action.ALLOW);
                assertThat(decide(filter, call, 0, bit)).as(call).isEqualTo(EPERM);
                assertThat(decide(filter, call, 0, bit | 0755)).as(call).isEqualTo(EPERM);
            }
            for (String call : List.of("fchmodat", "fchmodat2", "mknodat")) {
                assertThat(decide(filter, call, 0, 0, 0755)).as(call).isEqualTo(Action.ALLOW);
                assertThat(decide(filter, call, 0, 0, bit | 0100)).as(call).isEqualTo(EPERM);
            }
            for (int flag : new int[] {0100, 020000000}) {
                assertThat(decide(filter, "open", 0, flag | 1, bit | 0700)).isEqualTo(EPERM);
                assertThat(decide(filter, "openat", 0, 0, flag | 1, bit | 0700)).isEqualTo(EPERM);
                assertThat(decide(filter, "open", 0, flag | 1, 0700)).isEqualTo(Action.ALLOW);
                assertThat(decide(filter, "openat", 0, 0, flag | 1, 0700)).isEqualTo(Action.ALLOW);
            }
        }
        assertThat(decide(filter, "open", 0, 2, 06777)).isEqualTo(Action.ALLOW);
        assertThat(decide(filter, "openat", 0, 0, 2, 06777)).isEqualTo(Action.ALLOW);
        assertThat(decide(filter, "openat2")).isEqualTo(Action.errno(Action.ENOSYS));
    }

    @Test
    void leases_and_signals_of_changes_are_denied_and_all_else_of_fcntl_is_not() {
        Filter filter = Compiler.compile(Profile.standard().under(List.of(Restriction.VOLUMES)), TARGET);

        assertThat(decide(filter, "fcntl", 3, 1024)).isEqualTo(EPERM);
        assertThat(decide(filter, "fcntl", 3, 1026)).isEqualTo(EPERM);
        for (int command : new int[] {0, 1, 2, 3, 4, 1025, 1030, 1031, 1033}) {
            assertThat(decide(filter, "fcntl", 3, command)).isEqualTo(Action.ALLOW);
        }
        assertThat(decide(filter, "chmod", 0, 04755)).isEqualTo(Action.ALLOW);
    }

    @Test
    void no_profile_opens_what_a_restriction_denies() {
        Profile open = Profile.parse("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}");

        for (Profile profile : List.of(open, Profile.strict(), Profile.standard())) {
            Filter filter = Compiler.compile(profile.under(WRITABLE), TARGET);
            assertThat(decide(filter, "chmod", 0, 04755)).isEqualTo(EPERM);
            assertThat(decide(filter, "fcntl", 3, 1024)).isEqualTo(EPERM);
            assertThat(decide(filter, "io_uring_setup").kind()).isEqualTo(Action.Kind.ERRNO);
        }
    }

    @Test
    void a_kept_filter_belongs_to_its_restrictions(@TempDir Path directory) throws IOException {
        var cache = new FilterCache(directory.resolve("filters"));

        for (int round = 0; round < 2; round++) {
            assertThat(decide(cache.standard(TARGET), "chmod", 0, 04755)).isEqualTo(Action.ALLOW);
            assertThat(decide(cache.standard(TARGET, WRITABLE), "chmod", 0, 04755))
                    .isEqualTo(EPERM);
            assertThat(decide(cache.standard(TARGET, List.of(Restriction.VOLUMES)), "chmod", 0, 04755))
                    .isEqualTo(Action.ALLOW);
            assertThat(decide(cache.compile("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", TARGET), "chmod", 0, 04755))
                    .isEqualTo(Action.ALLOW);
        }
    }
}
