package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
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
    @TempDir
    private Path directory;

    private BuildBed bed;
    private PeerTrees trees;
    private Path own;

    @BeforeEach
    void open() throws Exception {
        bed = new BuildBed(directory, "archives");
        trees = new PeerTrees(bed, directory);
        own = Path.of("/var/lib/caisson-test-peer-" + ProcessHandle.current().pid());
        Files.createDirectories(own);
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        PeerTrees.shell("rm -rf \"$0\"", own.toString());
    }

    /// `docker export` leaves attributes of users out, and its containers get files in `/etc`.
    private static Set<String> asDocker(Set<String> tree) {
        var lines = new TreeSet<String>();
        for (String line : tree) {
            if (!line.startsWith(PeerTrees.USER)) {
                lines.add(line.replaceFirst("^(d .*) \\S+ etc$", "$1 etc"));
            }
        }
        return lines;
    }

    // ---- podman

    private String podman(String script) throws Exception {
        String function = """
                export PODMAN_IGNORE_CGROUPSV1_WARNING=1
                podman() { command podman --root "$0/podman" --runroot "$0/podman-run" --storage-driver vfs "$@"; }
                """;
        Path file = own.resolve("podman.sh");
        Files.writeString(file, function + script);
        return PeerTrees.shell(
                "exec unshare -m --propagation private sh -ec \"$(cat \"$0/podman.sh\")\" \"$0\"", own.toString());
    }

    @ParameterizedTest
    @EnumSource(ArchiveForm.class)
    void podman_loads_what_is_saved_here_and_its_archives_are_loaded_here(ArchiveForm form) throws Exception {
        StoredImage image = bed.images.tag(trees.made().image(), ImageReference.parse(PeerTrees.NAME));
        Path archive = trees.saved(image, form);
        String kind = form == ArchiveForm.DOCKER ? "docker-archive" : "oci-archive";

        String mounted = podman("podman load -q -i " + archive + " >/dev/null; podman image mount " + PeerTrees.NAME
                        + "; podman save -q --format " + kind + " -o " + directory + "/theirs.tar " + PeerTrees.NAME)
                .strip();
        Set<String> before = trees.ours(PeerTrees.NAME);
        PeerTrees.assertSame(before, PeerTrees.list(mounted));

        var id = bed.images.describe(image).id();
        bed.images.remove(image);
        trees.load(directory.resolve("theirs.tar"));
        assertThat(bed.images.describe(bed.images.find(PeerTrees.NAME)).id()).isEqualTo(id);
        PeerTrees.assertSame(trees.ours(PeerTrees.NAME), before);
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
        StoredImage image = bed.images.tag(trees.made().image(), ImageReference.parse(PeerTrees.NAME));
        Path archive = trees.saved(image, ArchiveForm.DOCKER);
        Files.writeString(own.resolve("docker.sh"), DOCKERD + "docker load -q -i " + archive + "\n" + """
                        files made:1 loaded
                        docker image inspect -f '{{.Id}}' made:1 >"$0/id"
                        docker run --network none --name box made:1 sh -c 'rm -r /r/s/l /gone; mkdir /gone; echo c >/gone/c; ln /etc/passwd /r/s/again; chmod 600 /d/noted'
                        docker commit box theirs:1
                        files theirs:1 committed
                        docker save -o "$0/theirs.tar" made:1 theirs:1
                        """);
        PeerTrees.shell(
                "exec unshare -n -m -p -f --mount-proc --kill-child --propagation private sh -ec \"$(cat \"$0/docker.sh\")\" \"$0\"",
                own.toString());

        var id = bed.images.describe(image).id();
        assertThat(Files.readString(own.resolve("id")).strip()).isEqualTo(id.toString());
        Set<String> before = trees.ours(PeerTrees.NAME);
        assertThat(asDocker(PeerTrees.list(own.resolve("loaded").toString()))).isEqualTo(asDocker(before));

        bed.images.remove(image);
        trees.load(own.resolve("theirs.tar"));
        assertThat(bed.images.describe(bed.images.find(PeerTrees.NAME)).id()).isEqualTo(id);
        assertThat(trees.ours(PeerTrees.NAME)).isEqualTo(before);
        Set<String> theirs = trees.ours("docker.io/library/theirs:1");
        assertThat(theirs).anyMatch(line -> line.endsWith(" r/s/again")).noneMatch(line -> line.contains(" r/s/l "));
        assertThat(asDocker(theirs))
                .isEqualTo(asDocker(PeerTrees.list(own.resolve("committed").toString())));
    }
}
