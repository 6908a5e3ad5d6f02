package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.StoredImage;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Archives of images that were saved here are loaded by docker and podman, and theirs here. The trees are compared
/// entry by entry: type, mode, owner, names of a file, size, time, target of a link, content and attributes. Docker's
/// containers have a few files of its own. Needs Debian's packages docker.io, docker-cli, podman, tar and libcap2-bin.
@Tag("root")
@Tag("peers")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class PeerArchivesTest {
    private static final Pattern OF_DOCKER = Pattern.compile(
            "(?:^| )(?:\\./)?(?:\\.dockerenv|(?:dev|proc|sys)(?:/\\S*)?|etc/(?:hostname|hosts|resolv\\.conf|mtab))(?: |$)");
    private static final String NAME = "docker.io/library/made:1";
    private static final String USER = "user attribute of ";
    private static final String LIST = """
            cd "$0" || exit 1
            find . -mindepth 1 ! -type f ! -type d -printf '%y %m %U:%G %s %T@ %P %l\\n'
            find . -mindepth 1 -type d -printf '%y %m %U:%G %T@ %P\\n'
            find . -type f -printf '%y %m %U:%G %n %s %T@ %P\\n'
            find . -type f -exec sha256sum {} +
            getcap -r .
            """;

    @TempDir
    private Path directory;

    private BuildBed bed;
    private Path own;

    @BeforeEach
    void open() throws Exception {
        bed = new BuildBed(directory, "archives");
        own = Path.of("/var/lib/caisson-test-peer-" + ProcessHandle.current().pid());
        Files.createDirectories(own);
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        shell("rm -rf \"$0\"", own.toString());
    }

    /// An image with all kinds of files, in three layers above its base.
    private BuildResult made() throws Exception {
        bed.file("d/noted", "noted");
        Files.getFileAttributeView(bed.context.resolve("d/noted"), UserDefinedFileAttributeView.class)
                .write("key", StandardCharsets.UTF_8.encode("value"));
        bed.file("able", "#!");
        shell("setcap cap_net_raw=ep \"$0\"", bed.context.resolve("able").toString());
        return bed.build(
                "FROM busybox:1",
                "COPY --chown=7:8 d /d",
                "COPY able /bin/able",
                "RUN mkdir -p /r/s /gone /empty && echo 1 >/r/s/f && ln -s f /r/s/l && ln /r/s/f /r/s/h"
                        + " && chmod 4755 /r/s/f && touch -d '2001-02-03 04:05:06' /r/s/f && chmod 1777 /empty && echo a >/gone/a && mkfifo /pipe",
                "RUN rm -r /gone /bin/yes && mkdir /gone && echo b >/gone/b && chown 5:6 /etc && chmod 604 /etc/group",
                "CMD [\"sh\"]");
    }

    private Set<String> ours(String name) throws Exception {
        try (ImageTree tree = bed.images.tree(new Image.Named(ImageReference.parse(name)));
                Fd root = FileSystem.openAt(
                        tree.root(),
                        ".",
                        FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                        0,
                        FileSystem.RESOLVE_BENEATH)) {
            return list("/proc/" + ProcessHandle.current().pid() + "/fd/" + root.number() + "/");
        }
    }

    private static Set<String> list(String root) throws Exception {
        var lines = new TreeSet<String>();
        shell(LIST, root)
                .lines()
                .filter(line -> !line.isBlank())
                .map(String::strip)
                .forEach(lines::add);
        try (Stream<Path> all = Files.walk(Path.of(root, "."))) {
            for (Path path : all.filter(one -> Files.isRegularFile(one, LinkOption.NOFOLLOW_LINKS))
                    .toList()) {
                for (String name : Files.getFileAttributeView(path, UserDefinedFileAttributeView.class)
                        .list()) {
                    lines.add(USER + Path.of(root, ".").relativize(path) + " " + name);
                }
            }
        }
        lines.removeIf(line -> OF_DOCKER.matcher(line).find());
        return lines;
    }

    /// `docker export` leaves attributes of users out, and its containers get files in `/etc`.
    private static Set<String> asDocker(Set<String> tree) {
        var lines = new TreeSet<String>();
        for (String line : tree) {
            if (!line.startsWith(USER)) {
                lines.add(line.replaceFirst("^(d .*) \\S+ etc$", "$1 etc"));
            }
        }
        return lines;
    }

    private static void assertSame(Set<String> ours, Set<String> theirs) {
        assertThat(ours).anyMatch(line -> line.startsWith("f 4755 0:0 2 2 981173106")); // all kinds are there
        assertThat(ours).anyMatch(line -> line.equals(USER + "d/noted key"));
        assertThat(ours).anyMatch(line -> line.equals("./bin/able cap_net_raw=ep"));
        assertThat(ours).anyMatch(line -> line.startsWith("p 644")).noneMatch(line -> line.endsWith(" gone/a"));
        var only = new TreeSet<>(ours);
        only.removeAll(theirs);
        var others = new TreeSet<>(theirs);
        others.removeAll(ours);
        assertThat(only).as("only ours; only theirs: " + others).isEmpty();
        assertThat(others).as("only theirs").isEmpty();
    }

    private Path saved(StoredImage image, ArchiveForm form) throws Exception {
        Path archive = directory.resolve("ours.tar");
        try (OutputStream to = Files.newOutputStream(archive)) {
            bed.images.save(List.of(image), form, to);
        }
        return archive;
    }

    private void load(Path archive) throws IOException {
        try (InputStream in = Files.newInputStream(archive)) {
            bed.images.load(in, "the archive");
        }
    }

    private static String shell(String script, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("sh", "-ec", script));
        command.addAll(List.of(arguments));
        Path errors = Files.createTempFile("peer", ".err");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        String wrong = Files.readString(errors);
        Files.delete(errors);
        assertThat(status).as(script + "\n" + said + wrong).isZero();
        return said;
    }

    // ---- podman

    private String podman(String script) throws Exception {
        String function = """
                export PODMAN_IGNORE_CGROUPSV1_WARNING=1
                podman() { command podman --root "$0/podman" --runroot "$0/podman-run" --storage-driver vfs "$@"; }
                """;
        Path file = own.resolve("podman.sh");
        Files.writeString(file, function + script);
        return shell("exec unshare -m --propagation private sh -ec \"$(cat \"$0/podman.sh\")\" \"$0\"", own.toString());
    }

    @ParameterizedTest
    @EnumSource(ArchiveForm.class)
    void podman_loads_what_is_saved_here_and_its_archives_are_loaded_here(ArchiveForm form) throws Exception {
        StoredImage image = bed.images.tag(made().image(), ImageReference.parse(NAME));
        Path archive = saved(image, form);
        String kind = form == ArchiveForm.DOCKER ? "docker-archive" : "oci-archive";

        String mounted = podman("podman load -q -i " + archive + " >/dev/null; podman image mount " + NAME
                        + "; podman save -q --format " + kind + " -o " + directory + "/theirs.tar " + NAME)
                .strip();
        Set<String> before = ours(NAME);
        assertSame(before, list(mounted));

        var id = bed.images.describe(image).id();
        bed.images.remove(image);
        load(directory.resolve("theirs.tar"));
        assertThat(bed.images.describe(bed.images.find(NAME)).id()).isEqualTo(id);
        assertSame(ours(NAME), before);
        podman("podman rmi -a -f >/dev/null");
    }

    // ---- docker

    private static final String DOCKERD = """
            ip link set lo up
            dockerd --data-root="$0/data" --exec-root="$0/exec" --pidfile="$0/pid" --host="unix://$0/socket" \\
                --iptables=false --bridge=none >"$0/log" 2>&1 &
            export DOCKER_HOST="unix://$0/socket"
            for i in $(seq 300); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
            files() { mkdir "$0/$2"; id=$(docker create --network none "$1" sh); docker export "$id" | tar -x --xattrs --xattrs-include='*' -C "$0/$2"; docker rm "$id" >/dev/null; }
            """;

    @Test
    void docker_loads_what_is_saved_here_and_its_archives_are_loaded_here() throws Exception {
        StoredImage image = bed.images.tag(made().image(), ImageReference.parse(NAME));
        Path archive = saved(image, ArchiveForm.DOCKER);
        Files.writeString(own.resolve("docker.sh"), DOCKERD + "docker load -q -i " + archive + "\n" + """
                        files made:1 loaded
                        docker image inspect -f '{{.Id}}' made:1 >"$0/id"
                        docker run --network none --name box made:1 sh -c 'rm -r /r/s/l /gone; mkdir /gone; echo c >/gone/c; ln /etc/passwd /r/s/again; chmod 600 /d/noted'
                        docker commit box theirs:1
                        files theirs:1 committed
                        docker save -o "$0/theirs.tar" made:1 theirs:1
                        """);
        shell(
                "exec unshare -n -m -p -f --mount-proc --kill-child --propagation private sh -ec \"$(cat \"$0/docker.sh\")\" \"$0\"",
                own.toString());

        var id = bed.images.describe(image).id();
        assertThat(Files.readString(own.resolve("id")).strip()).isEqualTo(id.toString());
        Set<String> before = ours(NAME);
        assertThat(asDocker(list(own.resolve("loaded").toString()))).isEqualTo(asDocker(before));

        bed.images.remove(image);
        load(own.resolve("theirs.tar"));
        assertThat(bed.images.describe(bed.images.find(NAME)).id()).isEqualTo(id);
        assertThat(ours(NAME)).isEqualTo(before);
        Set<String> theirs = ours("docker.io/library/theirs:1");
        assertThat(theirs).anyMatch(line -> line.endsWith(" r/s/again")).noneMatch(line -> line.contains(" r/s/l "));
        assertThat(asDocker(theirs))
                .isEqualTo(asDocker(list(own.resolve("committed").toString())));
    }
}
