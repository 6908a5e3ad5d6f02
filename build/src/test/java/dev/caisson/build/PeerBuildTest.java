package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageTree;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Builds the same Dockerfiles with podman, which uses buildah, and compares files and configurations. Known
/// differences: buildah adds a label with its version, and a `RUN` of it leaves empty `/dev`, `/proc`, `/run`,
/// `/sys` and files of names in `/etc`.
@Tag("root")
@Tag("peers")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class PeerBuildTest {
    private static final String BASE = """
            FROM scratch AS base
            COPY busybox /bin/sh
            COPY busybox /bin/busybox
            RUN ["/bin/busybox", "--install", "-s", "/bin"]
            COPY passwd group /etc/
            """;

    private static final Pattern BUILDAHS =
            Pattern.compile("^d 755 0:0 (dev|proc|run|sys) $|\\betc/(hostname|hosts|resolv\\.conf)\\b");

    @TempDir
    private Path directory;

    private BuildBed bed;
    private Path storage;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "peers");
        storage = Path.of(
                "/var/lib", "caisson-test-podman-" + ProcessHandle.current().pid());
        Files.copy(Path.of("/bin/busybox"), bed.context.resolve("busybox"));
        bed.file("passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n");
        bed.file("group", "root:x:0:\napp:x:1001:\nwww:x:33:\n");
        bed.file("a.txt", "a");
        bed.file("b.txt", "b");
        bed.file("dir/one", "1");
        bed.file("dir/sub/two", "2");
        bed.file("dir/sub/three.log", "3");
        Files.createSymbolicLink(bed.context.resolve("dir/link"), Path.of("one"));
        Files.setPosixFilePermissions(bed.context.resolve("b.txt"), PosixFilePermissions.fromString("rwxr-x---"));
        Files.setPosixFilePermissions(bed.context.resolve("dir/sub"), PosixFilePermissions.fromString("rwx-----x"));
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        podman("rmi", "-a", "-f");
        new ProcessBuilder("rm", "-rf", storage.toString(), storage + "-run")
                .start()
                .waitFor();
    }

    private String podman(String... words) throws Exception {
        var command = new ArrayList<>(List.of(
                "unshare",
                "-m",
                "--propagation",
                "private",
                "podman",
                "--root",
                storage.toString(),
                "--runroot",
                storage + "-run",
                "--storage-driver",
                "vfs"));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).directory(bed.context.toFile());
        builder.environment().put("PODMAN_IGNORE_CGROUPSV1_WARNING", "1");
        Path errors = directory.resolve("podman.err");
        Process process = builder.redirectError(errors.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said + Files.readString(errors)).isZero();
        return said;
    }

    static List<String> dockerfiles() {
        return List.of(
                // copies
                """
                COPY a.txt /x
                COPY a.txt b.txt /new/dir/
                COPY dir /d
                COPY dir/ /d/e/
                COPY dir /etc
                COPY . /all/
                COPY *.txt /g/
                COPY ["a.txt", "/with space/"]
                COPY --chown=app:www dir /owned/d
                COPY --chown=7:8 --chmod=640 a.txt /m
                COPY --chown=app a.txt /owned/a
                ADD a.txt /added/
                COPY <<EOF /inline
                hello
                EOF
                """,
                // commands, and copies above what they have made
                """
                RUN mkdir -p /r/s && echo 1 >/r/s/f && ln -s f /r/s/l && ln /r/s/f /r/s/h && chmod 4755 /r/s/f
                RUN echo x >/x && rm /bin/yes /etc/group && mv /bin/vi /bin/moved
                RUN mkdir /gone && echo 1 >/gone/a
                RUN rm -r /gone && mkdir /gone && echo 2 >/gone/b
                RUN chown 5:6 /etc && chmod 700 /etc && ln -s /etc /link
                COPY a.txt /etc/a.txt
                COPY a.txt /link/b.txt
                COPY dir /link/d
                RUN <<EOF
                echo one >/h1
                echo two >/h2
                EOF
                """,
                // variables and settings
                """
                ARG V=3
                ENV A=$V B="x y" C=${V:-4} D=${E:+no}
                ENV OLD form of value
                RUN echo $A$B$C$D >/env
                WORKDIR /w/x
                COPY a.txt .
                COPY b.txt c.txt
                WORKDIR ../y
                RUN pwd >/where
                LABEL one=1 two="t w o"
                LABEL one=2
                EXPOSE 80 53/udp
                VOLUME /data /more
                STOPSIGNAL SIGUSR1
                CMD ["a"]
                ENTRYPOINT ["b"]
                USER app
                """,
                """
                CMD echo shell form
                """,
                // stages
                """
                FROM base AS unused
                RUN exit 1
                FROM base AS tool
                RUN mkdir /out && echo t >/out/t && chown 9:9 /out/t
                FROM base
                COPY --from=tool /out /out
                COPY --from=tool /out/t /single
                """);
    }

    @ParameterizedTest
    @MethodSource("dockerfiles")
    void files_and_configuration_are_the_same(String lines) throws Exception {
        String whole = BASE + (lines.startsWith("FROM") ? "" : "FROM base\n") + lines + "\n";
        bed.file("Dockerfile", whole);

        BuildResult ours = bed.build(whole.split("\n", -1));
        podman(
                "build",
                "--layers=false",
                "--isolation",
                "chroot",
                "--ulimit",
                "nofile=1024:1024",
                "--ulimit",
                "nproc=1024:1024",
                "--format",
                "docker",
                "-t",
                "localhost/p:1",
                ".");

        Set<String> here = tree(ours);
        Set<String> there =
                list(Path.of(podman("image", "mount", "localhost/p:1").strip()));
        assertThat(here).contains("f 755 0:0 bin/busybox ");
        var onlyHere = new TreeSet<>(here);
        onlyHere.removeAll(there);
        var onlyThere = new TreeSet<>(there);
        onlyThere.removeAll(here);
        assertThat(onlyHere).as("only ours; only podman's: " + onlyThere).isEmpty();
        assertThat(onlyThere).as("only podman's").isEmpty();
        assertThat(config(new String(bed.images.config(ours.image()), StandardCharsets.UTF_8), true))
                .isEqualTo(config(podman("inspect", "--format", "{{json .Config}}", "localhost/p:1"), false));
    }

    private Set<String> tree(BuildResult result) throws Exception {
        try (ImageTree tree = bed.images.tree(LayerStore.image(result.image()));
                Fd root = FileSystem.openAt(
                        tree.root(),
                        ".",
                        FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                        0,
                        FileSystem.RESOLVE_BENEATH)) {
            return list(Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + root.number()));
        }
    }

    /// Type, mode, owner, names of a file, path, and target of a link or size.
    private static Set<String> list(Path root) throws Exception {
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "cd \"$0\" && find . -mindepth 1 -printf '%y %m %U:%G %P %l\\n' && find . -type f -exec sha256sum {} +",
                        root.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var lines = new TreeSet<String>();
        try (var reader = process.inputReader()) {
            reader.lines().filter(line -> !BUILDAHS.matcher(line).find()).forEach(lines::add);
        }
        assertThat(process.waitFor()).isZero();
        return lines;
    }

    /// The settings of a configuration that say something.
    private static Map<String, Object> config(String json, boolean whole) {
        Map<String, Object> fields = new TreeMap<>();
        Map<String, @Nullable Object> document = Json.parseObject(json, Json.Limits.DEFAULT);
        Map<?, ?> config = whole && document.get("config") instanceof Map<?, ?> inner ? inner : document;
        config.forEach((key, value) -> {
            if (value instanceof Map<?, ?> map) {
                var copy = new TreeMap<Object, @Nullable Object>(map);
                copy.remove("io.buildah.version");
                if (!copy.isEmpty()) {
                    fields.put(String.valueOf(key), copy);
                }
            } else if (value instanceof List<?> list && !list.isEmpty()) {
                fields.put(String.valueOf(key), list);
            } else if (value instanceof String text && !text.isEmpty()) {
                fields.put(String.valueOf(key), text);
            }
        });
        return fields;
    }
}
