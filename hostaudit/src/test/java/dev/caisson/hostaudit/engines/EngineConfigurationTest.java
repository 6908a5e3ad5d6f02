package dev.caisson.hostaudit.engines;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.kernel.MountTable;
import dev.caisson.text.MalformedJsonException;
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
                name -> Optional.empty(),
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

    @Test
    void a_file_may_be_empty_or_begin_with_a_byte_order_mark() {
        assertThat(EngineConfiguration.parse("").map()).isEmpty();
        assertThat(EngineConfiguration.parse(" \n").map()).isEmpty();
        assertThat(EngineConfiguration.parse("\ufeff{\"debug\": true}")
                        .at("debug")
                        .truth())
                .isTrue();
        assertThatThrownBy(() -> EngineConfiguration.parse("{")).isInstanceOf(MalformedJsonException.class);
    }

    @Test
    void tls_by_a_flag_has_files_of_its_own_and_tls_by_the_file_has_none() {
        assertThat(key(Map.of(), "dockerd", "--tlsverify")).isEqualTo("/root/.docker/key.pem");
        assertThat(key(Map.of("HOME", "/srv"), "dockerd", "--tls")).isEqualTo("/srv/.docker/key.pem");
        assertThat(key(Map.of("DOCKER_CONFIG", "/c"), "dockerd", "--tlsverify=false"))
                .isEqualTo("/c/key.pem");
        assertThat(key(Map.of("DOCKER_CERT_PATH", "/p"), "dockerd", "--tls", "--tlskey=/k"))
                .isEqualTo("/k");
        assertThat(key(Map.of(), "dockerd", "--tls=false")).isEmpty();
        assertThat(key(Map.of(), "dockerd")).isEmpty();
    }

    private static String key(Map<String, String> environment, String... arguments) {
        return Optional.ofNullable(EngineConfiguration.effective(
                                List.of(arguments),
                                name -> Optional.ofNullable(environment.get(name)),
                                Tree.parse("{\"tls\": true}"))
                        .get("tlskey"))
                .map(EngineFacts.Setting::text)
                .orElse("");
    }

    @Test
    void the_data_of_a_remapped_engine_lies_on_the_file_system_of_its_configured_directory() {
        MountTable mounts = MountTable.ofText("""
                20 1 254:0 / / rw,relatime - ext4 /dev/vda rw
                21 20 254:16 / /var/lib/docker rw,relatime - ext4 /dev/vdb rw
                """);

        assertThat(EngineCollector.dataRoot("/var/lib/docker/400000.400000", true, mounts))
                .isEqualTo(new EngineFacts.DataRoot("/var/lib/docker/400000.400000", true, "254:16", "254:0"));
        assertThat(EngineCollector.dataRoot("/srv/400000.400000", true, mounts).mountedAlone())
                .isFalse();
        assertThat(EngineCollector.dataRoot("/var/lib/docker/1.1", false, mounts)
                        .mountedAlone())
                .isFalse();
    }
}
