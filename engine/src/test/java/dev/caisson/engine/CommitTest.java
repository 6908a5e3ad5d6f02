package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.linux.ExtendedAttributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Images that are made of a container.
class CommitTest extends BusyboxEngine {
    private static final ImageReference BASE = ImageReference.parse("caisson-test/base:1");
    private static final ImageReference MADE = ImageReference.parse("caisson-test/made:1");
    private static final int READ = FileSystem.O_RDONLY | FileSystem.O_NOFOLLOW;

    private final List<DetachedContainer> all = new ArrayList<>();
    private Images images;

    @BeforeEach
    void a_base() {
        images = Images.open(OPTIONS);
        images.make(Optional.empty(), List.of(new NewLayer(this::base, true)), CommitTest::config, BASE);
    }

    @AfterEach
    void remove() throws Exception {
        for (DetachedContainer made : all) {
            made.remove(true);
        }
        for (StoredImage image : images.list()) {
            if (image.repository().startsWith("docker.io/caisson-test/")) {
                images.remove(image);
            }
        }
        images.close();
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Cmd\":[\"sh\"],\"Env\":[\"A=1\"]},\"history\":[{\"created_by\":\"by hand\"}],"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private void base(OutputStream to) throws IOException {
        var archive = new TarWriter(to);
        var plain = new TarWriter.Attributes(0755, 0, 0, Instant.ofEpochSecond(1_000_000_000));
        for (String directory : new String[] {"bin", "etc", "srv", "srv/gone", "srv/remade", "tmp"}) {
            archive.directory(directory, plain);
        }
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        archive.file("bin/busybox", busybox.length, plain);
        archive.content(busybox, busybox.length);
        for (String program : new String[] {"sh", "mkdir", "sleep", "cat"}) {
            archive.hardLink("bin/" + program, "bin/busybox", plain);
        }
        for (String file : new String[] {"srv/file", "srv/gone/file", "srv/remade/old", "srv/same"}) {
            archive.file(file, 1, plain);
            archive.content(new byte[] {'a'}, 1);
        }
        var marked = new TarWriter.Attributes(
                0600, 5, 6, Instant.EPOCH, Map.of("user.mark", "m=1\n2".getBytes(StandardCharsets.UTF_8)));
        archive.file("srv/marked", 0, marked);
        archive.finish();
    }

    private DetachedContainer ran(ContainerSpec spec) throws InterruptedException {
        DetachedContainer made = engine.create(spec, DetachedOptions.STANDARD);
        all.add(made);
        made.start();
        assertThat(made.await().orElseThrow().status())
                .as(spec.command().toString())
                .isZero();
        return made;
    }

    private static ContainerSpec shellIn(ImageReference image, String script) {
        return ContainerSpec.of(new Image.Named(image), "sh", "-c", script);
    }

    private static byte[] layer(DetachedContainer container, Optional<Instant> latest) throws Exception {
        var tar = new ByteArrayOutputStream();
        container.writeLayer(tar, latest);
        return tar.toByteArray();
    }

    /// Describes the files below a directory by type, mode, owner, size, time, links and attributes.
    private static Map<String, String> entries(Fd root, String path) {
        var entries = new TreeMap<String, String>();
        try (Fd directory = FileSystem.openAt(
                root, path, FileSystem.O_RDONLY | FileSystem.O_DIRECTORY, 0, FileSystem.RESOLVE_BENEATH)) {
            for (String name : dev.caisson.linux.DirectoryEntries.of(directory)) {
                FileStatus status = FileSystem.status(directory, name);
                String own = path + "/" + name;
                String more = "";
                if (status.isSymbolicLink()) {
                    more = " -> " + FileSystem.readLink(directory, name);
                } else if (status.isRegularFile()) {
                    try (Fd file = FileSystem.openAt(directory, name, READ, 0, FileSystem.RESOLVE_BENEATH)) {
                        more = " " + status.size() + " "
                                + new String(FileSystem.read(file, 100), StandardCharsets.UTF_8)
                                + ExtendedAttributes.get(file, "user.mark")
                                        .map(value -> " mark " + new String(value, StandardCharsets.UTF_8))
                                        .orElse("");
                    }
                } else if (status.isDirectory()) {
                    entries.putAll(entries(root, own));
                }
                entries.put(
                        own,
                        "%o %d:%d %d links %d%s"
                                .formatted(
                                        status.mode(),
                                        status.uid(),
                                        status.gid(),
                                        status.modified().getEpochSecond(),
                                        status.isDirectory() ? 0 : status.links(),
                                        more));
            }
        }
        return entries;
    }

    private static final String SCRIPT =
            "cd /srv; busybox rm -r gone; busybox rm -r remade; mkdir remade; echo n >remade/new;"
                    + "echo b >file; busybox chmod 4711 file; busybox ln file also; busybox ln -s ../etc link; busybox mkfifo pipe;"
                    + "busybox chown -h 7:8 link pipe; echo b >>marked; mkdir -p deep/er; busybox chown 1000:1001 deep; echo x >deep/er/x;"
                    + "busybox touch -h -d @1000000001 link deep/er/x; busybox touch -d @1000000002 deep/er pipe; echo mine >/etc/hosts";

    @Test
    void a_container_of_the_image_finds_the_files_that_the_first_one_had() throws Exception {
        DetachedContainer first = ran(shellIn(BASE, SCRIPT + "; exec cat /dev/null"));
        StoredImage made = images.commit(first.id().value(), MADE, CommitOptions.STANDARD);

        assertThat(images.describe(made).layers()).isEqualTo(2);
        try (ImageTree tree = images.tree(new Image.Named(MADE))) {
            Map<String, String> found = entries(tree.root(), "srv");
            assertThat(found.keySet())
                    .containsExactly(
                            "srv/also",
                            "srv/deep",
                            "srv/deep/er",
                            "srv/deep/er/x",
                            "srv/file",
                            "srv/link",
                            "srv/marked",
                            "srv/pipe",
                            "srv/remade",
                            "srv/remade/new",
                            "srv/same");
            assertThat(found.get("srv/file")).matches("104711 0:0 \\d+ links 2 2 b\n");
            assertThat(found.get("srv/also")).isEqualTo(found.get("srv/file"));
            assertThat(found.get("srv/link")).isEqualTo("120777 7:8 1000000001 links 1 -> ../etc");
            assertThat(found.get("srv/pipe")).isEqualTo("10644 7:8 1000000002 links 1");
            assertThat(found.get("srv/deep")).startsWith("40755 1000:1001 ");
            assertThat(found.get("srv/deep/er")).isEqualTo("40755 0:0 1000000002 links 0");
            assertThat(found.get("srv/deep/er/x")).isEqualTo("100644 0:0 1000000001 links 1 2 x\n");
            assertThat(found.get("srv/marked")).startsWith("100600 5:6 ").endsWith(" links 1 2 b\n mark m=1\n2");
            assertThat(found.get("srv/same")).isEqualTo("100755 0:0 1000000000 links 1 1 a");
            assertThat(entries(tree.root(), "etc")).isEmpty(); // what each start makes
        }
        DetachedContainer second = ran(shellIn(MADE, "test \"$(cat /srv/file)\" = b && test ! -e /srv/gone"));
        assertThat(second.changes()).isEmpty();
    }

    @Test
    void the_configuration_stays_but_for_changes_and_the_history_grows() throws Exception {
        DetachedContainer box = ran(shellIn(BASE, "echo x >/srv/x"));
        var how = new CommitOptions(
                Optional.of("me \"too\""),
                Optional.of("with x"),
                List.of(
                        "ENV B=\"2 3\" C=4",
                        "CMD [\"cat\", \"/srv/x\"]",
                        "label a=b",
                        "EXPOSE 80 53/udp",
                        "WORKDIR srv",
                        "USER 7"),
                true);
        StoredImage made = images.commit(box.name(), MADE, how);
        var config = images.describe(made).config();
        assertThat(config.env())
                .containsEntry("A", "1")
                .containsEntry("B", "2 3")
                .containsEntry("C", "4");
        assertThat(config.cmd()).containsExactly("cat", "/srv/x");
        assertThat(config.labels()).containsExactly(Map.entry("a", "b"));
        assertThat(config.exposedPorts()).containsExactlyInAnyOrder("80/tcp", "53/udp");
        assertThat(config.workingDir()).isEqualTo("/srv");
        assertThat(config.user()).isEqualTo("7");
        assertThat(new String(images.config(made), StandardCharsets.UTF_8))
                .contains("\"created_by\":\"by hand\"", "\"comment\":\"with x\"", "\"author\":\"me \\\"too\\\"\"");
        DetachedContainer second = engine.create(ContainerSpec.of(new Image.Named(MADE)), DetachedOptions.STANDARD);
        all.add(second);
        second.start();
        assertThat(second.await().orElseThrow().status()).isZero();
    }

    @Test
    void changes_have_variables_of_the_image_and_ranges_of_ports() throws Exception {
        var how = new CommitOptions(
                Optional.empty(),
                Optional.empty(),
                List.of(
                        "ENV P=8080 B=$A:${A}0 C=\\$A D='$A' E=\"$A $\" F=$NONE.",
                        "ENV A=2 G=$A",
                        "EXPOSE $P 100-102/udp",
                        "LABEL at=/srv/$A",
                        "WORKDIR /$A",
                        "VOLUME [\"/$A\"]",
                        "STOPSIGNAL SIGRTMIN+3",
                        "CMD echo $A"),
                true);
        StoredImage made = images.commit(ran(shellIn(BASE, "true")).name(), MADE, how);
        var config = images.describe(made).config();
        assertThat(config.env())
                .containsEntry("B", "1:10")
                .containsEntry("C", "$A")
                .containsEntry("D", "$A")
                .containsEntry("E", "1 $")
                .containsEntry("F", ".")
                .containsEntry("G", "1")
                .containsEntry("A", "2");
        assertThat(config.exposedPorts()).containsExactlyInAnyOrder("8080/tcp", "100/udp", "101/udp", "102/udp");
        assertThat(config.labels()).containsEntry("at", "/srv/2");
        assertThat(config.workingDir()).isEqualTo("/2");
        assertThat(config.volumes()).containsExactly("/2");
        assertThat(config.stopSignal()).contains("SIGRTMIN+3");
        assertThat(config.cmd()).containsExactly("/bin/sh", "-c", "echo $A"); // the shell's
    }

    @Test
    void an_image_without_a_name_is_found_by_its_id() throws Exception {
        StoredImage made = images.commit(ran(shellIn(BASE, "echo x >/srv/x")).name(), CommitOptions.STANDARD);
        assertThat(made.tag()).isEmpty();
        String id = images.describe(made).id().toString();
        assertThat(images.describe(images.find(id)).id().toString()).isEqualTo(id);
        assertThat(images.list()).contains(made);
        assertThat(images.remove(images.find(id), false)).isTrue();
    }

    @Test
    void the_same_changes_make_the_same_bytes_and_late_times_are_cut() throws Exception {
        DetachedContainer one = ran(shellIn(BASE, "cd /srv; echo x >b; echo x >a; mkdir c; echo x >c/d"));
        DetachedContainer other = ran(shellIn(BASE, "cd /srv; mkdir c; echo x >c/d; echo x >a; echo x >b"));
        assertThat(layer(one, Optional.empty())).isEqualTo(layer(one, Optional.empty()));
        Optional<Instant> early = Optional.of(Instant.ofEpochSecond(1_000_000_000));
        assertThat(layer(one, early)).isEqualTo(layer(other, early));
        assertThat(layer(one, early)).isNotEqualTo(layer(one, Optional.empty()));
    }

    @Test
    void places_of_mounts_are_no_part_of_the_layer() throws Exception {
        DetachedContainer box = ran(shellIn(BASE, "echo x >/opt/cache/x; echo x >/srv/x")
                .mount(new Mount.Tmpfs(InRootPath.parse("/opt/cache"), Bytes.mebibytes(1), 0755, false, false)));
        images.commit(box.name(), MADE, CommitOptions.STANDARD);
        try (ImageTree tree = images.tree(new Image.Named(MADE))) {
            assertThat(FileSystem.findStatus(tree.root(), "opt")).isEmpty();
            assertThat(FileSystem.findStatus(tree.root(), "srv/x")).isPresent();
        }
    }

    @Test
    void a_running_container_stands_still_meanwhile_and_goes_on() throws Exception {
        DetachedContainer box = engine.create(
                shellIn(BASE, "i=0; while :; do i=$((i+1)); echo $i >/srv/one; echo $i >/srv/two; done"),
                DetachedOptions.STANDARD);
        all.add(box);
        box.start();
        for (int i = 0; i < 5; i++) {
            images.commit(box.name(), MADE, CommitOptions.STANDARD);
        }
        assertThat(box.state()).isInstanceOf(ContainerState.Running.class);
    }

    @Test
    void names_that_no_layer_can_have_are_refused_and_leave_the_store_as_it_was() throws Exception {
        DetachedContainer box = ran(shellIn(BASE, "echo x >/srv/.wh.file"));
        int before = images.list().size();
        assertThat(catchThrowable(() -> images.commit(box.name(), MADE, CommitOptions.STANDARD)))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("LAYER_NAME"));
        DetachedContainer raw = ran(shellIn(BASE, "echo x >\"/srv/$(busybox printf '\\377')\""));
        assertThat(catchThrowable(() -> images.commit(raw.name(), MADE, CommitOptions.STANDARD)))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("LAYER_NAME"));
        assertThat(images.list()).hasSize(before);
    }

    @Test
    void what_has_no_image_in_the_store_and_wrong_changes_are_refused() throws Exception {
        DetachedContainer box = ran(busybox("true"));
        assertThat(catchThrowable(() -> images.commit(box.name(), MADE, CommitOptions.STANDARD)))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("COMMIT_REFUSED"));
        DetachedContainer named = ran(shellIn(BASE, "true"));
        for (String change : List.of(
                "RUN x",
                "ENV",
                "ENV =x",
                "ENV B=${A",
                "ENV B=${A:-c}",
                "ENV B=${}",
                "EXPOSE x",
                "EXPOSE 99999",
                "EXPOSE 0",
                "EXPOSE 9-8",
                "EXPOSE $NONE",
                "STOPSIGNAL SIGNOTHING",
                "USER a b",
                "WORKDIR",
                "")) {
            var how = new CommitOptions(Optional.empty(), Optional.empty(), List.of(change), true);
            assertThat(catchThrowable(() -> images.commit(named.name(), MADE, how)))
                    .as(change)
                    .isInstanceOfSatisfying(
                            CaissonException.class, e -> assertThat(e.code()).isEqualTo("CHANGE_REFUSED"));
        }
    }

    @Test
    void a_configuration_that_does_not_fit_the_layers_is_refused() {
        assertThat(catchThrowable(() -> images.make(
                        Optional.of(images.find(BASE.toString())),
                        List.of(new NewLayer(this::base, false)),
                        added -> config(added),
                        MADE)))
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("BAD_MANIFEST"));
        assertThat(images.has(MADE)).isFalse();
    }
}
