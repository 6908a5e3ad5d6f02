package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.Source;
import dev.caisson.image.ImageReference;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import dev.caisson.spec.Network;
import dev.caisson.text.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Builds the Dockerfiles of `dockerfiles.txt` with the BuildKit in Debian's dockerd, too, and compares trees entry by
/// entry (type, mode, owner, names of a file, size, time, target of a link, content, attributes), configurations and
/// histories. Needs Debian's packages docker.io, docker-cli, curl, python3, busybox-static and libcap2-bin.
@Tag("root")
@Tag("peers")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 600, unit = TimeUnit.SECONDS)
class BuildKitPeerTest {
    private static final String BASE = """
            FROM scratch AS base
            COPY busybox /bin/sh
            COPY busybox /bin/busybox
            RUN ["/bin/busybox", "--install", "-s", "/bin"]
            COPY passwd group /etc/
            """;

    private static final String DAEMON = """
            ip link set lo up
            dockerd --data-root="$0/data" --exec-root="$0/exec" --pidfile="$0/pid" --host="unix://$0/socket" \\
                --iptables=false --bridge=none >"$0/log" 2>&1 &
            python3 -m http.server --bind 127.0.0.1 --directory "$0/www" "$1" >/dev/null 2>&1 &
            export DOCKER_HOST="unix://$0/socket"
            for i in $(seq 300); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
            for context in "$0"/www/contexts/*.tar; do
              name=$(basename "$context" .tar)
              target=; [ ! -e "$0/www/contexts/$name.target" ] || target="&target=$(cat "$0/www/contexts/$name.target")"
              curl -sS --unix-socket "$0/socket" -X POST "http://docker/build?version=2&networkmode=none&t=peer:$name$target\\
            &buildargs=%7B%22GIVEN%22%3A%22given%22%7D&remote=http://127.0.0.1:$1/contexts/$name.tar" >"$0/$name.log"
              grep -q moby.image.id "$0/$name.log" || { echo "$name"; grep errorDetail "$0/$name.log"; failed=yes; } >&2
            done
            [ -z "${failed:-}" ]
            docker save -o "$0/theirs.tar" $(docker images -q --no-trunc --format '{{.Repository}}:{{.Tag}}' peer)
            """;

    private static final String ARCHIVES = """
            cd "$0"
            mkdir -p "$1/in/deep"; echo p >"$1/in/plain"; ln -s plain "$1/in/link"; ln "$1/in/plain" "$1/in/second"
            chmod 4750 "$1/in/plain"; chmod 1777 "$1/in/deep"; touch -d '2002-02-02 02:02:02' "$1/in/plain" "$1/in/deep" "$1/in"
            tar -C "$1/in" --owner=21 --group=22 -cf plain.tar .
            gzip -nk plain.tar; mv plain.tar.gz packed.tar.gz
            xz -k plain.tar; mv plain.tar.xz packed.tar.xz
            bzip2 -k plain.tar; mv plain.tar.bz2 packed.tar.bz2
            echo one | gzip -n >one.gz
            """;

    private static final FileTime OLD = FileTime.from(Instant.ofEpochSecond(1_234_567_890));
    private static final Pattern PROGRAM = Pattern.compile("/(?:run/caisson-build|dev/pipes)/");
    private static final Pattern ARGUMENTS = Pattern.compile("RUN \\|\\d+ .* /bin/sh");
    private static final Pattern TIME = Pattern.compile("(?<= )(\\d{9,10})\\.\\d+(?= )");

    record Sample(String number, String name, String text) {
        @Override
        public String toString() {
            return number + " " + name;
        }

        Optional<String> target() {
            return name.equals("a target") ? Optional.of("wanted") : Optional.empty();
        }
    }

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private static Path directory;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private BuildBed bed;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private PeerTrees trees;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private Path own;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private FileServer server;

    private long begun;

    static List<Sample> samples() throws IOException {
        var samples = new ArrayList<Sample>();
        try (InputStream in = Objects.requireNonNull(BuildKitPeerTest.class.getResourceAsStream("dockerfiles.txt"))) {
            String all = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String part : all.split("(?m)^### ", -1)) {
                if (!part.isEmpty()) {
                    int end = part.indexOf('\n');
                    samples.add(new Sample(
                            "%02d".formatted(samples.size() + 1),
                            part.substring(0, end),
                            part.substring(end + 1).replaceFirst("(?m)^# base\n", Matcher.quoteReplacement(BASE))));
                }
            }
        }
        return samples;
    }

    @BeforeAll
    void build_them_with_buildkit() throws Exception {
        bed = new BuildBed(directory, "buildkit");
        trees = new PeerTrees(bed, directory);
        own = Files.createDirectories(Path.of(
                "/var/lib/caisson-test-buildkit-" + ProcessHandle.current().pid()));
        context();
        Path www = Files.createDirectories(own.resolve("www/contexts"));
        PeerTrees.shell(
                "cp -a \"$0/.\" \"$1\"",
                bed.context.toString(),
                own.resolve("www").toString());
        server = FileServer.start(own.resolve("www"));
        for (Sample sample : samples()) {
            write(sample);
            PeerTrees.shell(
                    "tar -C \"$0\" -cf \"$1\" .",
                    bed.context.toString(),
                    www.resolve(sample.number() + ".tar").toString());
            if (sample.target().isPresent()) {
                Files.writeString(
                        www.resolve(sample.number() + ".target"),
                        sample.target().get());
            }
        }
        begun = Instant.now().getEpochSecond() - 2;
        Files.writeString(own.resolve("docker.sh"), DAEMON);
        PeerTrees.shell(
                "exec unshare -n -m -p -f --mount-proc --kill-child --propagation private sh -ec \"$(cat \"$0/docker.sh\")\" \"$0\" \"$1\"",
                own.toString(),
                String.valueOf(server.port()));
        trees.load(own.resolve("theirs.tar"));
    }

    /// All of it has times of long ago: what is younger is of a build.
    private void context() throws Exception {
        Files.copy(Path.of("/bin/busybox"), bed.context.resolve("busybox"));
        bed.file(
                "passwd",
                "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n");
        bed.file("group", "root:x:0:\napp:x:1001:\nwww:x:34:\nwww-data:x:33:\n");
        bed.file("a.txt", "a");
        bed.file("b.txt", "b");
        bed.file("b b.txt", "b b");
        bed.file("empty", "");
        bed.file("dir/one", "1");
        bed.file("dir/sub/two", "2");
        bed.file("dir/sub/three.log", "3");
        Files.createSymbolicLink(bed.context.resolve("dir/link"), Path.of("one"));
        Files.setPosixFilePermissions(bed.context.resolve("b.txt"), PosixFilePermissions.fromString("rwxr-x---"));
        Files.setPosixFilePermissions(bed.context.resolve("dir/sub"), PosixFilePermissions.fromString("rwx-----x"));
        PeerTrees.shell(ARCHIVES, bed.context.toString(), directory.toString());
        try (Stream<Path> all = Files.walk(bed.context)) {
            for (Path path : all.toList()) {
                if (!Files.isSymbolicLink(path)) {
                    Files.setLastModifiedTime(path, OLD);
                }
            }
        }
        PeerTrees.shell(
                "touch -h -d @1234567890 \"$0\"",
                bed.context.resolve("dir/link").toString());
    }

    private void write(Sample sample) throws IOException {
        bed.file("Dockerfile", text(sample));
        Files.setLastModifiedTime(bed.context.resolve("Dockerfile"), OLD);
    }

    private String text(Sample sample) {
        return sample.text().replace("$PORT", String.valueOf(server.port()));
    }

    @AfterAll
    void close() throws Exception {
        server.close();
        bed.close();
        PeerTrees.shell("rm -rf \"$0\"", own.toString());
    }

    @ParameterizedTest
    @MethodSource("samples")
    void trees_configurations_and_histories_are_those_of_buildkit(Sample sample) throws Exception {
        write(sample);
        StoredImage theirs = bed.images.find("peer:" + sample.number());

        StoredImage ours = bed.build(new BuildRequest(
                        Source.of("Dockerfile", text(sample)),
                        Optional.of(bed.context),
                        Optional.empty(),
                        List.of(ImageReference.parse("ours:1")),
                        Map.of("GIVEN", "given"),
                        sample.target(),
                        Map.of(),
                        Map.of(),
                        Network.none(),
                        true,
                        false,
                        Optional.empty(),
                        RegistryLogins.none()))
                .image();

        Set<String> here = withoutBuildTimes(trees.ours("ours:1"));
        assertThat(here).isNotEmpty();
        PeerTrees.assertEqual(here, withoutBuildTimes(trees.ours("peer:" + sample.number())));
        assertThat(config(ours)).isEqualTo(config(theirs));
        assertThat(history(ours)).isEqualTo(history(theirs));
    }

    /// BuildKit writes into the tree of the steps before, so that directories have the time of the last change in them.
    private Set<String> withoutBuildTimes(Set<String> lines) {
        var all = new TreeSet<String>();
        for (String line : lines) {
            all.add(TIME.matcher(line)
                    .replaceAll(time ->
                            line.startsWith("d ") || Long.parseLong(time.group(1)) >= begun ? "new" : time.group()));
        }
        return all;
    }

    /// BuildKit sets the field `ArgsEscaped`, which means something on Windows alone.
    private Map<String, Object> config(StoredImage image) {
        Map<String, @Nullable Object> document = document(image);
        var fields = new TreeMap<String, Object>();
        if (document.get("config") instanceof Map<?, ?> config) {
            config.forEach((key, value) -> {
                boolean saysNothing =
                        value == null || value.equals("") || value.equals(List.of()) || value.equals(Map.of());
                if (!saysNothing && !key.equals("ArgsEscaped")) {
                    fields.put(String.valueOf(key), value);
                }
            });
        }
        fields.put("platform", document.get("os") + "/" + document.get("architecture"));
        return fields;
    }

    /// The kind of each step, whether it has a layer, and the first line of a `RUN` without its arguments. BuildKit
    /// has no line for `ONBUILD`, a layer for each `WORKDIR`, and another place for a program in a here-document.
    private List<String> history(StoredImage image) {
        var steps = new ArrayList<String>();
        if (document(image).get("history") instanceof List<?> history) {
            for (Object one : history) {
                if (one instanceof Map<?, ?> step && step.get("created_by") instanceof String by) {
                    boolean hasLayer = !Boolean.TRUE.equals(step.get("empty_layer")) && !by.startsWith("WORKDIR ");
                    steps.add((PROGRAM.matcher(by).find() ? "RUN" : shown(by)) + (hasLayer ? " +" : ""));
                }
            }
        }
        steps.removeIf("ONBUILD"::equals);
        return steps;
    }

    private static String shown(String by) {
        return by.startsWith("RUN ")
                ? ARGUMENTS.matcher(by.lines().findFirst().orElseThrow()).replaceFirst("RUN | /bin/sh")
                : by.split(" ", 2)[0];
    }

    private Map<String, @Nullable Object> document(StoredImage image) {
        return Json.parseObject(new String(bed.images.config(image), StandardCharsets.UTF_8), Json.Limits.DEFAULT);
    }
}
