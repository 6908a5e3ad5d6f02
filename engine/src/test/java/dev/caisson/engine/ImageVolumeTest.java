package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Volumes that an image declares.
class ImageVolumeTest extends BusyboxEngine {
    private static final ImageReference NAME = ImageReference.parse("caisson-test/volumes:1");

    private final List<DetachedContainer> all = new ArrayList<>();
    private Images images;

    @BeforeEach
    void an_image() {
        images = Images.open(OPTIONS);
        images.make(Optional.empty(), List.of(new NewLayer(this::layer, true)), ImageVolumeTest::config, NAME);
    }

    @AfterEach
    void remove() throws Exception {
        for (DetachedContainer made : all) {
            made.removeWithVolumes(true);
        }
        assertThat(engine.volumes().list()).isEmpty();
        for (StoredImage image : images.list()) {
            if (image.repository().startsWith("docker.io/caisson-test/")) {
                images.remove(image);
            }
        }
        images.close();
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Volumes\":{\"/srv/deep\":{},\"/srv\":{}}},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private void layer(OutputStream to) throws IOException {
        var archive = new TarWriter(to);
        var plain = new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH);
        for (String directory : new String[] {"bin", "srv", "srv/deep"}) {
            archive.directory(directory, plain);
        }
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        archive.file("bin/sh", busybox.length, plain);
        archive.content(busybox, busybox.length);
        for (String file : new String[] {"srv/file", "srv/deep/file"}) {
            archive.file(file, 1, plain);
            archive.content(new byte[] {'a'}, 1);
        }
        archive.finish();
    }

    private static ContainerSpec spec(String script) {
        return ContainerSpec.of(new Image.Named(NAME), "sh", "-c", script);
    }

    private DetachedContainer ran(ContainerSpec spec, DetachedOptions options) throws InterruptedException {
        DetachedContainer made = engine.create(spec, options);
        all.add(made);
        made.start();
        assertThat(made.await().orElseThrow().status()).isZero();
        return made;
    }

    @Test
    void a_container_that_stays_has_them_with_what_the_image_has_there() throws Exception {
        DetachedContainer first = ran(
                spec("test -f /srv/file && test -f /srv/deep/file && echo 1 >/srv/own && echo 2 >/srv/deep/own"),
                DetachedOptions.STANDARD);

        assertThat(first.mounts())
                .extracting(Mount::target)
                .containsExactly(InRootPath.of("srv"), InRootPath.of("srv/deep"));
        assertThat(engine.volumes().list()).hasSize(2).allMatch(Volume::anonymous);
        assertThat(first.changes()).extracting(FileChange::path).doesNotContain("/srv/own", "/srv/deep/own");
    }

    @Test
    void a_mount_of_the_spec_goes_before_and_its_parts_above_it() throws Exception {
        DetachedContainer first = ran(
                spec("test ! -f /srv/file && test -f /srv/deep/file")
                        .mount(new Mount.Tmpfs(InRootPath.of("srv"), Bytes.mebibytes(1), 0755, false, false)),
                DetachedOptions.STANDARD);

        assertThat(engine.volumes().list()).hasSize(1);
        assertThat(first.mounts().getLast().target()).isEqualTo(InRootPath.of("srv/deep"));
    }

    @Test
    void runs_and_those_who_do_not_want_them_have_the_image_s_directories() throws Exception {
        assertThat(engine.run(spec("test -f /srv/deep/file && echo 1 >/srv/own"))
                        .verdict())
                .isEqualTo(Verdict.OK);
        DetachedContainer without = ran(spec("echo 1 >/srv/own"), DetachedOptions.STANDARD.imageVolumes(false));

        assertThat(engine.volumes().list()).isEmpty();
        assertThat(without.changes()).extracting(FileChange::path).contains("/srv/own");
    }

    @Test
    void one_of_which_nothing_is_kept_takes_them_along_whoever_removes_it() throws Exception {
        DetachedContainer box = engine.create(spec("true"), DetachedOptions.STANDARD.removedAtEnd(true));
        assertThat(engine.volumes().list()).hasSize(2);

        box.remove(true);

        assertThat(engine.volumes().list()).isEmpty();
    }

    @Test
    void one_that_is_removed_at_its_end_takes_them_along() throws Exception {
        engine.create(spec("true"), DetachedOptions.STANDARD.removedAtEnd(true)).start();
        for (int i = 0; i < 500 && !engine.volumes().list().isEmpty(); i++) {
            Leftovers.clear(OPTIONS);
            Thread.sleep(10);
        }

        assertThat(engine.volumes().list()).isEmpty();
    }

    // ---- images that are mounted

    private static final ImageReference ABOVE = ImageReference.parse("caisson-test/above:1");

    /// Makes an image above the first one, whose layer removes a file and has a link.
    private void anImageAbove() {
        StoredImage below = images.get(NAME);
        images.make(
                Optional.of(below),
                List.of(new NewLayer(
                        to -> {
                            var archive = new TarWriter(to);
                            var plain = new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH);
                            archive.file("srv/.wh.file", 0, plain);
                            archive.symbolicLink("link", "srv", plain);
                            archive.finish();
                        },
                        true)),
                layers -> new String(images.config(below), StandardCharsets.UTF_8)
                        .replace("\"]}", "\",\"" + layers.getFirst() + "\"]}")
                        .getBytes(StandardCharsets.UTF_8),
                ABOVE);
    }

    private ContainerSpec with(ImageReference image, String subpath, String script) {
        Optional<InRootPath> part =
                Optional.of(subpath).filter(path -> !path.isEmpty()).map(InRootPath::of);
        return busybox("sh", "-c", script).mount(new Mount.ImageFiles(image, InRootPath.of("mnt/of"), part));
    }

    @Test
    void an_image_is_mounted_with_all_its_layers_and_only_read() throws Exception {
        anImageAbove();
        for (String script : List.of(
                "test ! -e /mnt/of/srv/file && test -f /mnt/of/srv/deep/file",
                "! touch /mnt/of/new && ! touch /mnt/of/srv/deep/file",
                "test \"$(stat -c %u /mnt/of/srv)\" = 0")) {
            assertThat(engine.run(with(ABOVE, "", script)).verdict()).as(script).isEqualTo(Verdict.OK);
        }
        assertThat(engine.run(with(ABOVE, "srv/deep", "test -f /mnt/of/file && test ! -e /mnt/of/deep"))
                        .verdict())
                .isEqualTo(Verdict.OK);
        assertThat(engine.run(with(NAME, "srv", "test -f /mnt/of/file")).verdict())
                .isEqualTo(Verdict.OK);
        for (String none : List.of("nothing", "link", "srv/deep/file", "link/deep")) {
            assertThatThrownBy(() -> engine.run(with(ABOVE, none, "true")))
                    .as(none)
                    .hasMessageContaining("/" + none + " of the image caisson-test/above:1")
                    .extracting(e -> ((CaissonException) e).code())
                    .isEqualTo("MOUNT_SUBPATH");
        }
    }

    @Test
    void a_container_that_stays_keeps_the_image_that_it_has_mounted() throws Exception {
        anImageAbove();
        DetachedContainer made = ran(with(ABOVE, "srv", "test -d /mnt/of/deep"), DetachedOptions.STANDARD);

        assertThatThrownBy(() -> images.remove(images.get(ABOVE)))
                .extracting(e -> ((CaissonException) e).code())
                .isEqualTo("IMAGE_IN_USE");
        StoredImage other = images.tag(images.get(NAME), ABOVE); // the name comes to mean another image
        made.start();
        assertThat(made.await().orElseThrow().status()).isZero();
        assertThat(images.list()).contains(other);
        made.removeWithVolumes(true);
        all.remove(made);
        images.prune(true);
    }
}
