package dev.caisson.hostaudit.engines;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Tree;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What an engine is set to, from its file and its flags.
class EngineConfigurationTest {
    @Test
    void a_dockerd_that_rootlesskit_started_has_its_file_with_its_users_settings() {
        Map<String, String> plain = Map.of("HOME", "/home/anna", "XDG_CONFIG_HOME", "/home/anna/c");
        Map<String, String> kit = Map.of("ROOTLESSKIT_STATE_DIR", "/run/user/1000/kit", "HOME", "/home/anna");
        Map<String, String> moved = new HashMap<>(kit);
        moved.put("XDG_CONFIG_HOME", "/home/anna/c");

        assertThat(file(plain, "dockerd")).isEqualTo("/etc/docker/daemon.json");
        assertThat(file(kit, "dockerd")).isEqualTo("/home/anna/.config/docker/daemon.json");
        assertThat(file(moved, "dockerd")).isEqualTo("/home/anna/c/docker/daemon.json");
        assertThat(file(moved, "dockerd", "--config-file", "/x.json")).isEqualTo("/x.json");
        assertThat(file(Map.of("ROOTLESSKIT_STATE_DIR", "/x", "HOME", "relative"), "dockerd"))
                .isEqualTo("/etc/docker/daemon.json");
    }

    private static String file(Map<String, String> environment, String... arguments) {
        return EngineConfiguration.file(List.of(arguments), name -> Optional.ofNullable(environment.get(name)));
    }

    @Test
    void the_effective_configuration_is_default_then_file_then_flag() {
        Map<String, EngineFacts.Setting> effective = EngineConfiguration.effective(
                List.of(
                        "dockerd",
                        "-D",
                        "--log-level",
                        "warn",
                        "--icc=false",
                        "-H",
                        "tcp://a:1",
                        "-Htcp://b:2",
                        "--tlsverify=0"),
                Tree.parse("{\"log-level\":\"debug\",\"live-restore\":true,\"log-opts\":{\"max-size\":\"1m\"},"
                        + "\"default-ulimits\":{\"nofile\":{\"Soft\":1,\"Hard\":2}}}"));

        assertThat(effective)
                .containsEntry("log-level", new EngineFacts.Setting(List.of("warn"), "flag"))
                .containsEntry("live-restore", new EngineFacts.Setting(List.of("true"), "file"))
                .containsEntry("log-driver", new EngineFacts.Setting(List.of("json-file"), "default"))
                .containsEntry("icc", new EngineFacts.Setting(List.of("false"), "flag"))
                .containsEntry("debug", new EngineFacts.Setting(List.of("true"), "flag"))
                .containsEntry("tlsverify", new EngineFacts.Setting(List.of("false"), "flag"))
                .containsEntry("hosts", new EngineFacts.Setting(List.of("tcp://a:1", "tcp://b:2"), "flag"))
                .containsEntry("log-opts", new EngineFacts.Setting(List.of("max-size=1m"), "file"))
                .containsEntry("default-ulimits", new EngineFacts.Setting(List.of("nofile=1:2"), "file"));
    }
}
