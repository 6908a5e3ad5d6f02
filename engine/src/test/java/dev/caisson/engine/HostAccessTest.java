package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.launch.Privilege;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An engine opens for root of the host with what a launch needs, and for nobody else.
class HostAccessTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    private static final CapabilitySet NEEDED = CapabilitySet.of(
            Capability.SYS_ADMIN,
            Capability.SYS_PTRACE,
            Capability.CHOWN,
            Capability.DAC_OVERRIDE,
            Capability.FOWNER,
            Capability.SETGID,
            Capability.SETPCAP,
            Capability.SETUID);

    @Test
    void root_with_these_capabilities_may_run_one() {
        HostAccess.requireRoot(new Privilege(0, NEEDED, true));
        HostAccess.requireRoot(new Privilege(0, CapabilitySet.ALL, true));
    }

    @Test
    void each_of_the_three_is_needed() {
        for (Privilege lacking : List.of(
                new Privilege(1, CapabilitySet.ALL, true),
                new Privilege(0, CapabilitySet.ALL.without(Capability.SYS_ADMIN), true),
                new Privilege(0, CapabilitySet.ALL.without(Capability.SYS_PTRACE), true),
                new Privilege(0, CapabilitySet.NONE, true))) {
            assertThatThrownBy(() -> HostAccess.requireRoot(lacking))
                    .as("%s", lacking)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo("ROOT_NEEDED"))
                    .hasMessageContaining("CAP_SYS_ADMIN and CAP_SYS_PTRACE");
        }
    }

    @Test
    void one_that_a_launch_would_lack_is_named() {
        for (Capability capability : List.of(Capability.SETUID, Capability.CHOWN)) {
            assertThatThrownBy(() -> HostAccess.requireRoot(new Privilege(0, NEEDED.without(capability), true)))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo("ROOT_NEEDED"))
                    .hasMessageContaining("give it CAP_" + capability.name() + ", ");
        }
    }

    @Test
    void root_of_a_user_namespace_is_told_that_it_is_not_the_hosts() {
        assertThatThrownBy(() -> HostAccess.requireRoot(new Privilege(0, CapabilitySet.ALL, false)))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("ROOT_NEEDED"))
                .hasMessageContaining("user namespace");
    }

    @Test
    @Tag("root")
    void a_process_in_a_user_namespace_is_refused_before_anything_is_made() throws Exception {
        Path state = directory.resolve("state");
        Process process = new ProcessBuilder(
                        "unshare",
                        "--user",
                        "--map-root-user",
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("jdk.module.path", "") + ":" + System.getProperty("java.class.path", ""),
                        Opening.class.getName(),
                        state.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();

        assertThat(said).startsWith("ROOT_NEEDED ").contains("user namespace");
        assertThat(state).doesNotExist();
    }

    /// An engine in a process of its own.
    static final class Opening {
        private Opening() {}

        public static void main(String[] arguments) {
            Path state = Path.of(arguments[0]);
            try (var engine = Engine.open(new EngineOptions(state, state.resolveSibling("data")))) {
                System.out.println("open " + engine.queued());
            } catch (CaissonException e) {
                System.out.println(e.code() + " " + e.getMessage());
            }
        }
    }
}
