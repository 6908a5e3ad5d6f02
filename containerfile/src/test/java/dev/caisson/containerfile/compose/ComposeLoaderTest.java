package dev.caisson.containerfile.compose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.SourceTree;
import dev.caisson.containerfile.workload.ComposeWorkloads;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Mount;
import dev.caisson.containerfile.workload.Workload.MountKind;
import dev.caisson.containerfile.workload.Workload.Port;
import dev.caisson.containerfile.workload.Workload.Variable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComposeLoaderTest {
    @TempDir
    Path root = Path.of("");

    private void write(String name, String text) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private ComposeProject load(String... files) {
        return ComposeLoader.load(
                new SourceTree(root), Arrays.stream(files).map(root::resolve).toList(), Map.of());
    }

    private Workload only(String service) throws IOException {
        write("compose.yaml", "services:\n  web:\n" + service.indent(4));
        return workload("web", "compose.yaml");
    }

    private Workload workload(String name, String... files) {
        return ComposeWorkloads.of(load(files), new SourceTree(root), BaseImages.NONE).stream()
                .filter(found -> found.name().equals("service " + name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void short_limits_and_those_of_deploy_count_alike() throws IOException {
        Workload shortForm = only("mem_limit: 512m\ncpus: 0.5\npids_limit: 100\n");
        Workload deployed = only("deploy:\n  resources:\n    limits: {memory: 512M, cpus: '0.50', pids: 100}\n");

        for (Workload web : List.of(shortForm, deployed)) {
            assertThat(web.limits().memory().orElseThrow().value()).isEqualTo(512L << 20);
            assertThat(web.limits().cpus().orElseThrow().value()).isEqualTo(0.5);
            assertThat(web.limits().pids().orElseThrow().value()).isEqualTo(100);
        }
        assertThat(shortForm.limits().memory().orElseThrow().place()).hasToString("compose.yaml:3:5");
        assertThat(deployed.limits().memory().orElseThrow().place().text()).isEqualTo("memory: 512M");
    }

    @Test
    void an_override_file_decides_and_is_named() throws IOException {
        write("compose.yaml", "services:\n  web:\n    image: a:1\n    privileged: true\n    ports: ['80:80']\n");
        write(
                "compose.override.yaml",
                "services:\n  web:\n    privileged: false\n    mem_limit: 1g\n    ports: ['127.0.0.1:81:81']\n");

        Workload web = workload("web", "compose.yaml", "compose.override.yaml");

        assertThat(web.privileges().privileged().orElseThrow().place()).hasToString("compose.override.yaml:3:5");
        assertThat(web.limits().memory().orElseThrow().place()).hasToString("compose.override.yaml:4:5");
        assertThat(web.place()).hasToString("compose.yaml:2:3");
        assertThat(web.ports()).extracting(Port::published).containsExactly("80", "81");
    }

    @Test
    void reset_removes_and_override_replaces() throws IOException {
        write("compose.yaml", "services:\n  web:\n    image: a\n    cap_add: [NET_ADMIN]\n    ports: ['80:80']\n");
        write(
                "over.yaml",
                "services:\n  web:\n    cap_add: !reset []\n    ports: !override\n      - '127.0.0.1:80:80'\n");

        Workload web = workload("web", "compose.yaml", "over.yaml");

        assertThat(web.privileges().added()).isEmpty();
        assertThat(web.ports()).extracting(Port::address).containsExactly(Optional.of("127.0.0.1"));
    }

    @Test
    void merges_by_target_and_by_name() throws IOException {
        write("compose.yaml", """
                services:
                  web:
                    image: a
                    command: [a, b]
                    environment: [A=1, B=2]
                    volumes: ['./x:/data', 'v:/v']
                    cap_drop: [ALL]
                """);
        write("over.yaml", """
                services:
                  web:
                    command: [c]
                    environment: {B: 3, C: 4}
                    volumes: ['./y:/data:ro']
                    cap_drop: [ALL]
                """);

        Workload web = workload("web", "compose.yaml", "over.yaml");

        assertThat(web.arguments()).extracting(Setting::value).containsExactly("c");
        assertThat(web.environment())
                .extracting(v -> v.name() + "=" + v.value().orElse("-"))
                .containsExactly("A=1", "B=3", "C=4");
        assertThat(web.mounts()).extracting(Mount::written).containsExactly("./y", "v");
        assertThat(web.mounts().getFirst().readOnly()).isTrue();
        assertThat(web.mounts().getFirst().source()).isEqualTo(root.resolve("y").toString());
        assertThat(web.privileges().dropped()).hasSize(1);
    }

    @Test
    void extends_lays_a_service_over_one_of_another_file() throws IOException {
        write(
                "base/common.yaml",
                "services:\n  base:\n    image: a\n    mem_limit: 1g\n    volumes: ['./d:/d']\n    user: '1'\n");
        write(
                "compose.yaml",
                "services:\n  web:\n    extends: {file: base/common.yaml, service: base}\n    user: '2'\n  x: {extends: web}\n");

        Workload web = workload("x", "compose.yaml");

        assertThat(web.limits().memory().orElseThrow().place()).hasToString("base/common.yaml:4:5");
        assertThat(web.runAs())
                .isInstanceOfSatisfying(
                        RunAs.Other.class, other -> assertThat(other.user()).isEqualTo("2"));
        assertThat(web.mounts().getFirst().source())
                .isEqualTo(root.resolve("base/d").toString());
    }

    @Test
    void include_brings_a_project_with_its_own_directory_and_variables() throws IOException {
        write("db/compose.yaml", "services:\n  db:\n    image: pg:${TAG}\n    volumes: ['./data:/data']\n");
        write("db/.env", "TAG=17\n");
        write("compose.yaml", "include:\n  - db/compose.yaml\n  - oci://example/x\nservices:\n  web: {image: a}\n");

        ComposeProject project = load("compose.yaml");
        Workload db = workload("db", "compose.yaml");

        assertThat(project.services()).containsOnlyKeys("db", "web");
        assertThat(db.image().orElseThrow().value()).isEqualTo("pg:17");
        assertThat(db.mounts().getFirst().source())
                .isEqualTo(root.resolve("db/data").toString());
        assertThat(project.unresolved())
                .singleElement()
                .satisfies(note -> assertThat(note.place()).hasToString("compose.yaml:3:5"));
    }

    @Test
    void merge_keys_and_anchors_keep_their_places() throws IOException {
        write("compose.yaml", """
                x-base: &base
                  mem_limit: 1g
                  restart: always
                services:
                  web:
                    <<: *base
                    restart: "no"
                """);

        Workload web = workload("web", "compose.yaml");

        assertThat(web.limits().memory().orElseThrow().place()).hasToString("compose.yaml:2:3");
        assertThat(web.restart().orElseThrow().value()).isEqualTo("no");
    }

    @Test
    void env_files_lie_under_the_environment() throws IOException {
        write("a.env", "# c\nexport A=1\nB='$x' # no\nC=\"two\\nlines\"\n");
        Workload web = only("env_file: [a.env, {path: missing.env, required: false}]\nenvironment: {B: 2}\n");

        assertThat(web.environment()).extracting(Variable::name).containsExactly("A", "C", "B");
        Variable c = web.environment().get(1);
        assertThat(c.value()).contains("two\nlines");
        assertThat(c.place()).hasToString("a.env:4:1");
        assertThat(c.inFile()).contains("a.env");
    }

    @Test
    void a_default_is_written_here_and_a_variable_is_not() throws IOException {
        Workload web = only("environment:\n  - A=${X:-lit}\n  - B=${X}\n  - C\n  - D=$$x\n");

        assertThat(web.environment())
                .extracting(v -> v.value().orElse("-") + " " + v.interpolated())
                .containsExactly("lit false", " true", "- false", "$x false");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            80                     | all       | ''   | 80
            8080:80                | all       | 8080 | 80
            127.0.0.1:8080:80/udp  | 127.0.0.1 | 8080 | 80
            127.0.0.1::80          | 127.0.0.1 | ''   | 80
            [::1]:8080:80          | ::1       | 8080 | 80
            '[::]:8022:22'         | ::        | 8022 | 22
            ::1:8080:80            | ::1       | 8080 | 80
            3000-3005:3000-3005    | all       | 3000-3005 | 3000-3005
            0.0.0.0:1-2:1-2        | 0.0.0.0   | 1-2  | 1-2
            """)
    void reads_short_ports(String text, String address, String published, String target) throws IOException {
        Port port = only("ports: ['" + text + "']\n").ports().getFirst();

        assertThat(port.address().orElse("all")).isEqualTo(address);
        assertThat(port.published()).isEqualTo(published);
        assertThat(port.target()).isEqualTo(target);
    }

    @Test
    void a_volume_that_binds_a_host_path_is_a_bind() throws IOException {
        write("compose.yaml", """
                services:
                  web:
                    image: a
                    volumes: [etc:/host]
                    tmpfs: /run:size=64m,noexec
                volumes:
                  etc:
                    driver: local
                    driver_opts: {type: none, o: bind, device: /etc}
                """);

        Workload web = workload("web", "compose.yaml");

        assertThat(web.mounts()).extracting(Mount::kind).containsExactly(MountKind.BIND, MountKind.TMPFS);
        assertThat(web.mounts().get(0).source()).isEqualTo("/etc");
        assertThat(web.mounts().get(1).size()).contains(64L << 20);
    }

    @Test
    void namespaces_are_followed_through_services() throws IOException {
        write("compose.yaml", """
                services:
                  a: {image: a, network_mode: "service:b"}
                  b: {image: a, network_mode: "service:c"}
                  c: {image: a, network_mode: host}
                  d: {image: a, pid: "container:x"}
                  e: {image: a, ipc: "service:e"}
                """);

        assertThat(workload("a", "compose.yaml").namespaces()).singleElement().satisfies(use -> {
            assertThat(use.host()).isTrue();
            assertThat(use.through()).containsExactly("service b", "service c");
        });
        assertThat(workload("d", "compose.yaml").namespaces())
                .singleElement()
                .satisfies(use -> assertThat(use.host()).isFalse());
        assertThat(workload("e", "compose.yaml").namespaces()).hasSize(1);
    }

    @Test
    void the_user_of_a_built_service_is_its_dockerfile_s() throws IOException {
        write("app/Dockerfile", "FROM a\nARG U=app\nUSER $U\nHEALTHCHECK CMD true\n");
        write(
                "compose.yaml",
                "services:\n  web:\n    build:\n      context: app\n      args: [U=0]\n  ok: {build: ./app}\n");

        assertThat(workload("web", "compose.yaml").runAs()).isInstanceOf(RunAs.Root.class);
        assertThat(workload("ok", "compose.yaml").runAs()).isInstanceOf(RunAs.Other.class);
        assertThat(workload("ok", "compose.yaml").health().orElseThrow().place())
                .hasToString("app/Dockerfile:4:1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            'services: [a]'                                        | CF-401 | 1:11
            'services:;  a: x'                                     | CF-401 | 2:6
            'services:;  a: {extends: b}'                          | CF-403 | 2:16
            'services:;  a: {extends: b};  b: {extends: a}'        | CF-402 | 2:16
            'include: [compose.yaml]'                              | CF-402 | 1:1
            'services:;  a: {image: "${A"}'                        | CF-404 | 2:14
            'services:;  a: {image: "$"}'                          | CF-404 | 2:14
            'services:;  a: {mem_limit: much}'                     | CF-405 | 2:7
            'services:;  a: {privileged: maybe}'                   | CF-405 | 2:7
            'services:;  a: {ports: [[1]]}'                        | CF-401 | 2:15
            'services: {a: b: c}'                                  | CF-301 | 1:16
            'a: 1;a: 2'                                            | CF-301 | 2:1
            """)
    void what_compose_refuses_is_an_error_with_its_place(String text, String code, String at) throws IOException {
        write("compose.yaml", text.replace(";", "\n"));

        assertThatThrownBy(() -> ComposeWorkloads.of(load("compose.yaml"), new SourceTree(root), BaseImages.NONE))
                .isInstanceOfSatisfying(ContainerFileException.class, e -> {
                    assertThat(e.error().code()).isEqualTo(code);
                    assertThat(e.place().orElseThrow()).hasToString("compose.yaml:" + at);
                });
    }

    @Test
    void aliases_cannot_take_the_memory() throws IOException {
        StringBuilder bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (int level = 1; level < 12; level++) {
            String alias = "*a" + (level - 1);
            bomb.append("a%d: &a%d [%s]\n"
                    .formatted(
                            level,
                            level,
                            String.join(",", List.of(alias, alias, alias, alias, alias, alias, alias, alias, alias))));
        }
        write("compose.yaml", bomb.toString());

        assertThatThrownBy(() -> load("compose.yaml")).hasMessageContaining("CF-302");
        write("compose.yaml", "a: " + "[".repeat(20_000));
        assertThatThrownBy(() -> load("compose.yaml")).hasMessageContaining("CF-302");
    }

    /// Compose lays documents over each other in a file that others extend, too.
    @Test
    void each_document_of_a_file_is_laid_over_those_before_it() throws IOException {
        String text = """
                services:
                  web:
                    image: a:1
                    cap_add: [SYS_ADMIN]
                    environment: [A=1]
                ---
                services:
                  web:
                    image: b:2
                    privileged: true
                    cap_add: [NET_ADMIN]
                    environment: {B: 2}
                """;
        write("compose.yaml", text);
        write("extending.yaml", "services: {web: {extends: {file: compose.yaml, service: web}}}\n");

        for (String file : List.of("compose.yaml", "extending.yaml")) {
            Workload web = workload("web", file);
            assertThat(web.image().orElseThrow().value()).as(file).isEqualTo("b:2");
            assertThat(web.privileges().privileged().orElseThrow().value()).isTrue();
            assertThat(web.privileges().added()).extracting(Setting::value).containsExactly("SYS_ADMIN", "NET_ADMIN");
            assertThat(web.environment()).extracting(Variable::name).containsExactlyInAnyOrder("A", "B");
        }
    }

    @ParameterizedTest
    @CsvSource({"web", "service", "Services", "volume"})
    void what_compose_does_not_know_at_the_top_of_a_file_is_refused(String name) throws IOException {
        write("compose.yaml", "services: {a: {image: x}}\n" + name + ": {}\n");

        assertThatThrownBy(() -> load("compose.yaml"))
                .isInstanceOf(ContainerFileException.class)
                .hasMessageContaining(name);
    }

    @Test
    void what_compose_knows_at_the_top_of_a_file_is_taken() throws IOException {
        write("compose.yaml", """
                name: x
                version: "3"
                x-common: {a: b}
                services: {a: {image: x}}
                networks: {n: {}}
                volumes: {v: {}}
                secrets: {s: {file: f}}
                configs: {c: {file: f}}
                models: {m: {model: x}}
                """);

        assertThat(load("compose.yaml").services()).containsOnlyKeys("a");
    }
}
