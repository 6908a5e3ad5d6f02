package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every socket that gives an engine away, in each spelling of its path and by each directory above it.
class MountRulesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/run/docker.sock",
                "/run/containerd/containerd.sock",
                "/run/containerd/containerd.sock.ttrpc",
                "/run/podman/podman.sock",
                "/run/crio/crio.sock",
                "/run/cri-dockerd.sock",
                "/run/dockershim.sock",
                "/run/buildkit/buildkitd.sock",
                "/run/k3s/containerd/containerd.sock"
            })
    void each_socket_is_found_below_run_and_var_run_and_with_each_directory_above_it(String socket) {
        for (String path : new String[] {socket, "/var" + socket}) {
            assertThat(MountRules.socket(path)).as(path).contains(socket);
            for (int end = path.lastIndexOf('/'); path.indexOf("/run", 0) < end; end = path.lastIndexOf('/', end - 1)) {
                String above = path.substring(0, end);
                assertThat(MountRules.socket(above)).as(above).get().asString().startsWith("/run/");
            }
        }
        assertThat(MountRules.socket("/")).isPresent();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/srv/docker.sock",
                "/srv/x/containerd.sock",
                "/home/a/podman.sock",
                "/crio.sock",
                "/x/cri-dockerd.sock",
                "/x/buildkitd.sock",
            })
    void a_file_that_is_called_as_an_engines_socket_is_one_wherever_it_lies(String path) {
        assertThat(MountRules.socket(path)).contains(path);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/run/user",
                "/run/user/1000",
                "/run/user/1000/podman",
                "/var/run/user",
                "/var/run/user/0",
                "/var/run/user/1000/podman"
            })
    void the_directory_of_a_users_own_engine_is_found(String path) {
        assertThat(MountRules.socket(path)).contains("the socket of a rootless engine");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/run/postgresql",
                "/var/run/postgresql",
                "/run/podmanx",
                "/var/running/podman",
                "/var/run2/docker",
                "/run/user/1000/bus",
                "/srv/run",
                "/run/docker.sock.d"
            })
    void its_neighbours_are_none(String path) {
        assertThat(MountRules.socket(path)).isEmpty();
    }
}
