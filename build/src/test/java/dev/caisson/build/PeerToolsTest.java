package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Images that were saved here are read by buildah and umoci, and those that they make are read here. The trees are
/// compared entry by entry. Needs Debian's packages buildah, umoci, tar and libcap2-bin.
@Tag("root")
@Tag("peers")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class PeerToolsTest {
    private static final String CHANGES =
            "rm -r r/s/l gone; mkdir gone; echo c >gone/c; ln gone/c r/s/again; chmod 600 d/noted; mkfifo p2; ln -s /nowhere away;"
                    + " touch -h -d '2003-03-03 03:03:03' gone/c gone away p2 r/s"; // archives have whole seconds

    @TempDir
    private Path directory;

    private BuildBed bed;
    private PeerTrees trees;
    private Path own;

    @BeforeEach
    void open() throws Exception {
        bed = new BuildBed(directory, "tools");
        trees = new PeerTrees(bed, directory);
        own = Path.of("/var/lib/caisson-test-tools-" + ProcessHandle.current().pid());
        Files.createDirectories(own);
    }

    @AfterEach
    void close() throws Exception {
        bed.close();
        PeerTrees.shell("rm -rf \"$0\"", own.toString());
    }

    private String buildah(String script) throws Exception {
        String function = """
                buildah() { command buildah --root "$0/buildah" --runroot "$0/buildah-run" --storage-driver vfs "$@"; }
                """;
        Files.writeString(own.resolve("script.sh"), function + script);
        return PeerTrees.shell(
                "exec unshare -m --propagation private sh -ec \"$(cat \"$0/script.sh\")\" \"$0\"", own.toString());
    }

    @ParameterizedTest
    @EnumSource(ArchiveForm.class)
    void buildah_reads_what_is_saved_here_and_what_it_makes_of_it_is_read_here(ArchiveForm form) throws Exception {
        StoredImage image = bed.images.tag(trees.made().image(), ImageReference.parse(PeerTrees.NAME));
        Path archive = trees.saved(image, form);
        String kind = form == ArchiveForm.DOCKER ? "docker-archive" : "oci-archive";

        String[] mounted = buildah("name=$(buildah from -q " + kind + ":" + archive + ")\n"
                        + "buildah mount $name\n"
                        + "cp -a --reflink=auto $(buildah mount $name) \"$0/before\"\n"
                        + "(cd $(buildah mount $name); " + CHANGES + ")\n"
                        + "buildah commit -q --format " + (form == ArchiveForm.DOCKER ? "docker" : "oci") + " $name "
                        + kind + ":" + directory + "/theirs.tar:docker.io/library/theirs:1 >/dev/null\n")
                .strip()
                .split("\n", -1);
        Set<String> before = trees.ours(PeerTrees.NAME);
        PeerTrees.assertSame(before, PeerTrees.list(own.resolve("before").toString()));

        bed.images.remove(image);
        trees.load(directory.resolve("theirs.tar"));
        Set<String> theirs = trees.ours("docker.io/library/theirs:1");
        PeerTrees.assertEqual(theirs, PeerTrees.list(mounted[0]));
        assertChanged(theirs);
    }

    private static void assertChanged(Set<String> tree) {
        assertThat(tree)
                .anyMatch(line -> line.endsWith(" r/s/again"))
                .anyMatch(line -> line.endsWith(" away /nowhere"))
                .anyMatch(line -> line.startsWith("p ") && line.contains(" p2"))
                .noneMatch(line -> line.contains(" r/s/l "))
                .noneMatch(line -> line.endsWith(" gone/b"));
    }

    @Test
    void umoci_unpacks_what_is_saved_here_and_what_it_packs_is_read_here() throws Exception {
        StoredImage image = bed.images.tag(trees.made().image(), ImageReference.parse(PeerTrees.NAME));
        int layers = bed.images.layers(image).size();
        Path archive = trees.saved(image, ArchiveForm.OCI);
        PeerTrees.shell(
                "mkdir \"$0/layout\"; tar -xf \"$1\" -C \"$0/layout\"; umoci unpack --image \"$0/layout:$2\" \"$0/bundle\"",
                own.toString(),
                archive.toString(),
                PeerTrees.NAME);
        Set<String> before = trees.ours(PeerTrees.NAME);
        String root = own.resolve("bundle/rootfs").toString();
        PeerTrees.assertSame(before, PeerTrees.list(root));

        PeerTrees.shell(
                "(cd \"$0/bundle/rootfs\"; " + CHANGES + "); umoci repack --image \"$0/layout:$2\" \"$0/bundle\";"
                        + " umoci gc --layout \"$0/layout\"; tar -C \"$0/layout\" -cf \"$1\" .",
                own.toString(),
                directory.resolve("theirs.tar").toString(),
                PeerTrees.NAME);
        bed.images.remove(image);
        trees.load(directory.resolve("theirs.tar"));
        StoredImage packed = bed.images.find(PeerTrees.NAME);
        assertThat(bed.images.layers(packed)).hasSize(layers + 1);
        Set<String> theirs = trees.ours(PeerTrees.NAME);
        PeerTrees.assertEqual(theirs, PeerTrees.list(root));
        assertChanged(theirs);
    }
}
