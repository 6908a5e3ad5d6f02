package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileOriginsTest {
    private static final List<String> BASE = List.of("/bin/sh -c #(nop) ADD file:1 in / ", "CMD [\"sh\"]");

    @TempDir
    Path root = Path.of("");

    @BeforeEach
    void files() throws IOException {
        Files.writeString(root.resolve("compose.yaml"), "services:\n  web:\n    image: a\n  db:\n    image: b\n");
        Files.writeString(root.resolve("more.yaml"), "services:\n  web:\n    # why\n    privileged: true\n");
        Files.writeString(
                root.resolve("Dockerfile"),
                "FROM golang AS b\nRUN make\nFROM busybox\nRUN echo hello  \\\n  world\nCOPY x /x\nUSER root\nCMD x $Y\n");
    }

    private FileOrigins origins() {
        return new FileOrigins(Path.of("/"), LocalDate.of(2026, 11, 25), List.of(root.resolve("Dockerfile")));
    }

    private List<String> ofContainer(String files, String service, String check) {
        return places(origins()
                .ofContainer(
                        Map.of(
                                "com.docker.compose.project.config_files", files,
                                "com.docker.compose.service", service),
                        Checks.find(check).orElseThrow()));
    }

    private List<String> places(List<Evidence> evidence) {
        return evidence.stream()
                .map(found -> found.location().map(Location::toString).orElse(""))
                .map(place -> place.replace(root + "/", ""))
                .toList();
    }

    private List<String> ofImage(String... newest) {
        List<String> history = new ArrayList<>(BASE);
        history.addAll(List.of(newest));
        return places(origins().ofImage(history, Checks.find("image-root").orElseThrow()));
    }

    @Test
    void the_line_of_the_file_that_decided_is_named() {
        String files = root.resolve("compose.yaml") + "," + root.resolve("more.yaml");

        assertThat(ofContainer(files, "web", "privileged-in-effect")).containsExactly("more.yaml:4:5");
        assertThat(ofContainer(files, "db", "privileged-in-effect"))
                .as("nothing in the file says so: the service's definition")
                .containsExactly("compose.yaml:4:3");
        assertThat(ofContainer(files, "db", "memory-unbounded")).containsExactly("compose.yaml:4:3");
    }

    @Test
    void what_is_not_compose_s_or_is_gone_names_nothing() {
        assertThat(ofContainer(root.resolve("gone.yaml").toString(), "web", "privileged-in-effect"))
                .isEmpty();
        assertThat(ofContainer("compose.yaml", "web", "privileged-in-effect")).isEmpty();
        assertThat(ofContainer(root.resolve("Dockerfile").toString(), "web", "privileged-in-effect"))
                .isEmpty();
        assertThat(origins().ofContainer(Map.of(), Checks.all().getFirst())).isEmpty();
    }

    /// Whoever may start a container writes its labels.
    @Test
    void a_hostile_label_or_file_names_nothing() throws IOException {
        Files.writeString(root.resolve("nul.yaml"), "services: {web: {image: a, security_opt: [\"seccomp:x\\0\"]}}");
        Path link = Files.createSymbolicLink(root.resolve("kmsg.yaml"), Path.of("/proc/kmsg"));

        assertThat(ofContainer(root.resolve("compose.yaml") + "\0", "web", "privileged-in-effect"))
                .isEmpty();
        assertThat(ofContainer("/proc/kmsg", "web", "privileged-in-effect")).isEmpty();
        try {
            assertThat(ofContainer(link.toString(), "web", "privileged-in-effect"))
                    .isEmpty();
        } finally {
            Files.delete(link);
        }
        assertThat(ofContainer(root.resolve("nul.yaml").toString(), "web", "privileged-in-effect"))
                .containsExactly("nul.yaml:1:12");
    }

    @Test
    void labels_of_another_host_are_read_below_its_root() throws IOException {
        Path host = Files.createDirectories(root.resolve("host/srv")).getParent();
        Files.writeString(
                host.resolve("srv/compose.yaml"), "services: {web: {extends: {file: /more.yaml, service: web}}}");
        Files.writeString(host.resolve("more.yaml"), "services: {web: {image: a, privileged: true}}");
        Files.createSymbolicLink(host.resolve("link.yaml"), Path.of("/srv/compose.yaml"));
        FileOrigins origins = new FileOrigins(host, LocalDate.of(2026, 11, 25), List.of());
        Check check = Checks.find("privileged-in-effect").orElseThrow();

        for (String file : List.of("/srv/compose.yaml", "/link.yaml", "/../srv/compose.yaml")) {
            assertThat(origins.ofContainer(
                            Map.of(
                                    "com.docker.compose.project.config_files",
                                    file,
                                    "com.docker.compose.service",
                                    "web"),
                            check))
                    .as(file)
                    .extracting(Evidence::source)
                    .containsExactly("/more.yaml");
        }
        assertThat(origins.ofContainer(
                        Map.of(
                                "com.docker.compose.project.config_files",
                                "/.." + root.resolve("compose.yaml"),
                                "com.docker.compose.service",
                                "web"),
                        check))
                .isEmpty();
    }

    @Test
    void an_image_is_known_by_the_history_of_its_final_stage() {
        assertThat(ofImage(
                        "/bin/sh -c echo hello  world",
                        "/bin/sh -c #(nop) COPY file:0a in /x ",
                        "/bin/sh -c #(nop)  USER root",
                        "/bin/sh -c #(nop)  CMD [\"/bin/sh\" \"-c\" \"x $Y\"]"))
                .as("the classic builder")
                .containsExactly("Dockerfile:7:1");
        assertThat(ofImage(
                        "RUN /bin/sh -c echo hello   world # buildkit",
                        "COPY x /x # buildkit",
                        "USER root",
                        "CMD [\"/bin/sh\" \"-c\" \"x $Y\"]"))
                .as("BuildKit")
                .containsExactly("Dockerfile:7:1");
    }

    @Test
    void another_image_s_history_is_not_taken_for_it() {
        assertThat(ofImage()).isEmpty();
        assertThat(ofImage("RUN /bin/sh -c echo other # buildkit", "COPY x /x", "USER root", "CMD [\"x\"]"))
                .isEmpty();
        assertThat(ofImage("RUN /bin/sh -c echo hello world", "COPY x /x", "USER app", "CMD [\"x\"]"))
                .isEmpty();
        assertThat(ofImage("RUN /bin/sh -c echo hello world", "COPY x /x", "USER root", "CMD [\"x\"]", "USER app"))
                .isEmpty();
    }

    private List<String> from(String dockerfile, String... newest) throws IOException {
        Files.writeString(root.resolve("Dockerfile"), dockerfile);
        return ofImage(newest);
    }

    @Test
    void the_shell_and_build_arguments_are_those_of_the_history() throws IOException {
        String text = """
                FROM busybox
                SHELL ["/bin/bash", "-o", "pipefail", "-c"]
                ARG VERSION=1
                RUN echo \\
                # why
                  $VERSION # x
                WORKDIR /srv/
                USER app$VERSION
                """;

        assertThat(from(
                        text,
                        "SHELL [/bin/bash -o pipefail -c]",
                        "ARG VERSION=1",
                        "RUN |1 VERSION=1 /bin/bash -o pipefail -c echo $VERSION # x # buildkit",
                        "WORKDIR /srv",
                        "USER app1"))
                .as("BuildKit")
                .containsExactly("Dockerfile:1:1");
        assertThat(from(
                        text,
                        "/bin/sh -c #(nop)  SHELL [/bin/bash -o pipefail -c]",
                        "/bin/bash -o pipefail -c #(nop)  ARG VERSION=1",
                        "|1 VERSION=2 /bin/bash -o pipefail -c echo $VERSION # x",
                        "/bin/bash -o pipefail -c #(nop) WORKDIR /srv",
                        "/bin/bash -o pipefail -c #(nop)  USER app2"))
                .as("the classic builder, another argument")
                .containsExactly("Dockerfile:1:1");
        assertThat(from(text, "RUN |1 VERSION=1 /bin/sh -c echo $VERSION # x # buildkit", "WORKDIR /srv", "USER app1"))
                .as("another shell")
                .isEmpty();
        assertThat(from(text, "RUN /bin/bash -o pipefail -c echo $VERSION # x", "WORKDIR /opt", "USER app1"))
                .as("another directory")
                .isEmpty();
    }

    @Test
    void of_two_dockerfiles_the_one_whose_arguments_fit_is_named() throws IOException {
        Path other = Files.writeString(root.resolve("other"), "FROM a\nARG V=2\nRUN make $V\n");
        Path one = Files.writeString(root.resolve("one"), "FROM a\nARG V=1\nRUN make $V\n");
        FileOrigins origins = new FileOrigins(Path.of("/"), LocalDate.of(2026, 11, 25), List.of(other, one));
        Check check = Checks.find("image-root").orElseThrow();

        assertThat(places(origins.ofImage(List.of("RUN |1 V=1 /bin/sh -c make $V # buildkit"), check)))
                .first()
                .asString()
                .startsWith("one:");
        assertThat(places(origins.ofImage(List.of("RUN |1 V=2 /bin/sh -c make $V # buildkit"), check)))
                .first()
                .asString()
                .startsWith("other:");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            CMD ["a", "b c"]            | CMD ["a" "b c"]                                | CMD ["a" "b" "c"]
            CMD a  b                    | CMD ["/bin/sh" "-c" "a b"]                     | CMD ["/bin/sh" "-c" "a c"]
            ENTRYPOINT ["/x"]           | ENTRYPOINT ["/x"]                              | ENTRYPOINT ["/y"]
            RUN ["a", "b"]              | RUN a b # buildkit                             | RUN /bin/sh -c a b # buildkit
            RUN --mount=type=tmpfs,target=/t a | RUN /bin/sh -c a # buildkit            | RUN /bin/sh -c b # buildkit
            COPY --chown=1 a b /srv/    | COPY --chown=1 a b /srv/ # buildkit            | COPY --chown=1 a b /opt/ # buildkit
            COPY a /srv                 | /bin/sh -c #(nop) COPY file:0a in /srv         | /bin/sh -c #(nop) COPY file:0a in /opt
            EXPOSE 80 443/tcp           | EXPOSE map[443/tcp:{} 80/tcp:{}]               | EXPOSE map[8080/tcp:{}]
            EXPOSE 80                   | EXPOSE [80/tcp]                                | EXPOSE [81/tcp]
            VOLUME ["/a", "/b"]         | VOLUME [/b /a]                                 | VOLUME [/a]
            STOPSIGNAL SIGINT           | STOPSIGNAL SIGINT                              | STOPSIGNAL SIGTERM
            HEALTHCHECK CMD curl x      | HEALTHCHECK &{["CMD-SHELL" "curl x"] "0s" "0s"} | HEALTHCHECK &{["CMD-SHELL" "curl y"] "0s" "0s"}
            HEALTHCHECK NONE            | HEALTHCHECK &{["NONE"] "0s" "0s"}              | HEALTHCHECK &{["CMD-SHELL" "x"] "0s" "0s"}
            WORKDIR sub                 | WORKDIR /srv/sub                               | WORKDIR /srv/other
            """)
    void an_instruction_is_compared_by_what_it_says(String instruction, String same, String other) throws IOException {
        assertThat(from("FROM a\n" + instruction + "\n", same)).isNotEmpty();
        assertThat(from("FROM a\n" + instruction + "\n", other)).isEmpty();
    }
}
