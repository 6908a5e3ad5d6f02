package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageNotes;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.secret.ValueMatcher;
import dev.caisson.spec.ContainerSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images that have the value of a secret.
class ImageTaintTest extends BusyboxEngine {
    private static final String VALUE = "canary-of-the-image";
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final ImageReference NAME = ImageReference.parse("localhost:1/caisson-test/tainted:1");
    private static final TarWriter.Attributes PLAIN = new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH);

    @TempDir
    private Path scratch;

    private Images images;

    @BeforeEach
    void openImages() throws IOException {
        removeStore();
        images = Images.open(OPTIONS);
    }

    @AfterEach
    void removeAll() throws Exception {
        for (StoredImage image : images.list()) {
            if (image.repository().contains("caisson-test/")) {
                images.remove(image);
            }
        }
        images.close();
        removeStore();
    }

    private static void removeStore() throws IOException {
        if (Files.exists(STORE)) {
            removeTree(STORE);
        }
    }

    private void makeStore() {
        SecretStore.make(
                STORE,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue value = value()) {
            store.create(new SecretName("db"), value, Map.of(), Optional.empty(), "test");
        }
    }

    private static SecretValue value() {
        return SecretValue.of(VALUE.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] config(List<Digest> layers, String run, String history) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture() + "\",\"config\":{" + run
                        + "},\"history\":[{\"created_by\":\"" + history + "\"}],"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private StoredImage make(String run, String history, NewLayer.Content layer) {
        return images.make(
                Optional.empty(), List.of(new NewLayer(layer, true)), layers -> config(layers, run, history), NAME);
    }

    private static NewLayer.Content layer(String file, String text) {
        return to -> {
            var archive = new TarWriter(to);
            file(archive, "etc/first", "harmless");
            file(archive, file, text);
            file(archive, "etc/last", "harmless");
            archive.finish();
        };
    }

    private static void file(TarWriter archive, String name, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        archive.file(name, bytes.length, PLAIN);
        archive.content(bytes, bytes.length);
    }

    private static void refused(ThrowingCallable act, String... words) {
        assertThatThrownBy(act)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("SECRET_IN_IMAGE"))
                .hasMessageContainingAll(words)
                .hasMessageContaining("db@1")
                .hasMessageNotContaining(VALUE);
    }

    @Test
    void an_image_is_not_made_with_a_value_and_the_error_has_the_place() {
        makeStore();
        List<StoredImage> before = images.list();
        NewLayer.Content clean = layer("etc/file", "nothing");
        refused(
                () -> make("\"Env\":[\"A=1\",\"TOKEN=" + VALUE + "\"]", "", clean),
                "config.Env[1], the variable TOKEN");
        refused(() -> make("\"Labels\":{\"who\":\"" + VALUE + "\"}", "", clean), "config.Labels.who");
        refused(() -> make("\"Cmd\":[\"curl\",\"x" + VALUE + "\"]", "", clean), "config.Cmd[1]");
        refused(() -> make("", "RUN echo " + VALUE, clean), "history[0].created_by");
        String encoded = Base64.getEncoder().encodeToString((": " + VALUE).getBytes(StandardCharsets.UTF_8));
        refused(() -> make("", "", layer("srv/deep/file", encoded)), "srv/deep/file", "its new layer");
        assertThat(images.list()).isEqualTo(before);
        assertThat(make("", "", clean)).isNotNull();
    }

    private static byte[] by(String... program) throws Exception {
        Process process = new ProcessBuilder(program).start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(("password=" + VALUE + "\n").getBytes(StandardCharsets.UTF_8));
        }
        byte[] packed = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).isZero();
        return packed;
    }

    private static byte[] zip(String name, byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("first"));
            zip.write(new byte[100_000]);
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        }
        return bytes.toByteArray();
    }

    private static NewLayer.Content layer(String file, byte[] content) {
        return to -> {
            var archive = new TarWriter(to);
            archive.file(file, content.length, PLAIN);
            archive.content(content, content.length);
            file(archive, "etc/last", "harmless");
            archive.finish();
        };
    }

    @Test
    void a_value_is_found_in_what_is_packed_in_a_file_of_a_layer() throws Exception {
        makeStore();
        for (String program : List.of("gzip", "bzip2", "xz", "zstd")) {
            byte[] packed = by(program, "-c");
            refused(() -> make("", "", layer("srv/a", packed)), "srv/a");
            refused(() -> make("", "", layer("srv/a.jar", zip("b/c", packed))), "srv/a.jar!b/c");
            byte[] twice = zip("outer", zip("inner", packed));
            refused(() -> make("", "", layer("srv/a.zip", twice)), "srv/a.zip!outer!inner");
            StoredImage before;
            removeStore();
            before = make("", "", layer("srv/" + program, twice));
            makeStore();
            refused(
                    () -> images.push(before, RegistryLogins.none(), PullListener.none()),
                    "srv/" + program + "!outer!inner",
                    "layer 1");
        }
        byte[] named = zip("outer", zip(VALUE, new byte[9]));
        refused(() -> make("", "", layer("srv/a.jar", named)), "srv/a.jar");
    }

    @Test
    void a_file_that_is_damaged_or_unpacks_to_too_much_is_passed_over() throws Exception {
        makeStore();
        byte[] cut = Arrays.copyOf(by("gzip", "-c"), 20);
        assertThat(make("", "", layer("srv/cut.gz", cut))).isNotNull();
        var bomb = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(bomb)) {
            for (int i = 0; i < 40; i++) {
                gzip.write(new byte[1 << 20]);
            }
            gzip.write(VALUE.getBytes(StandardCharsets.UTF_8));
        }
        assertThat(make("", "", layer("srv/bomb.gz", bomb.toByteArray()))).isNotNull();
    }

    @Test
    void an_error_names_no_variable_whose_name_is_the_value() {
        makeStore();
        try (SecretStore store = SecretStore.open(STORE, Optional::empty);
                SecretValue name = SecretValue.of("canary_of_the_image".getBytes(StandardCharsets.UTF_8))) {
            store.create(new SecretName("name"), name, Map.of(), Optional.empty(), "test");
        }
        assertThatThrownBy(() -> make("\"Env\":[\"canary_of_the_image=1\"]", "", layer("etc/file", "nothing")))
                .hasMessageContainingAll("name@1", "config.Env[0]:")
                .hasMessageNotContaining("canary_of");
    }

    @Test
    void a_rotation_takes_no_values_from_searches_that_have_begun() {
        makeStore();
        try (var taint = new ImageTaint(STORE);
                SecretStore store = SecretStore.open(STORE, Optional::empty)) {
            NewLayer layer = taint.checked(List.of(new NewLayer(layer("etc/file", VALUE), false)))
                    .getFirst();
            for (int i = 0; i < 3; i++) {
                store.rotate(new SecretName("db"), value(), Optional.empty(), "test");
                assertThat(taint.looks()).isTrue();
            }
            refused(() -> layer.content().writeTo(OutputStream.nullOutputStream()), "etc/file");
        }
    }

    @Test
    void a_store_that_was_locked_for_a_moment_is_looked_into_again() throws Exception {
        makeStore();
        Path key = scratch.resolve("key");
        Path away = Files.move(key, scratch.resolve("away"));
        try (var taint = new ImageTaint(STORE)) {
            assertThat(taint.looks()).isFalse();
            Files.move(away, key);
            long until = System.nanoTime() + 20_000_000_000L;
            while (!taint.looks()) {
                assertThat(System.nanoTime() - until).isNegative();
                Thread.sleep(5);
            }
        }
    }

    @Test
    void an_image_that_was_there_before_the_secret_is_not_pushed() {
        StoredImage made = make("", "", layer("a/" + "long/".repeat(60) + "file", "password: " + VALUE));
        makeStore();
        refused(() -> images.push(made, RegistryLogins.none(), PullListener.none()), "a/long/", "layer 1");
        StoredImage label = make("", "", layer("etc/file", "nothing"));
        assertThatThrownBy(() -> images.push(label, RegistryLogins.none(), PullListener.none()))
                .hasMessageNotContaining("secret"); // nobody listens there
    }

    @Test
    void an_image_with_a_value_is_not_saved_and_not_loaded() throws IOException {
        StoredImage made = make("", "", layer("srv/file", "password: " + VALUE));
        StoredImage label = make("\"Labels\":{\"who\":\"" + VALUE + "\"}", "", layer("etc/file", "nothing"));
        for (ArchiveForm form : ArchiveForm.values()) {
            var archive = new ByteArrayOutputStream();
            images.save(List.of(made), form, archive);
            var labelled = new ByteArrayOutputStream();
            images.save(List.of(label), form, labelled);
            makeStore();
            List<StoredImage> before = images.list();
            var out = new ByteArrayOutputStream();
            refused(() -> images.save(List.of(made), form, out), "srv/file", "layer 1");
            refused(() -> images.save(List.of(label), form, out), "config.Labels.who");
            assertThat(out.size()).isZero();
            refused(() -> images.load(new ByteArrayInputStream(archive.toByteArray()), "it"), "srv/file", "layer 1");
            refused(() -> images.load(new ByteArrayInputStream(labelled.toByteArray()), "it"), "config.Labels.who");
            assertThat(images.list()).isEqualTo(before);
            removeStore();
            assertThat(images.load(new ByteArrayInputStream(archive.toByteArray()), "it"))
                    .hasSize(1);
        }
    }

    @Test
    void an_image_whose_statement_or_annotation_has_a_value_is_not_pushed_saved_or_loaded() throws IOException {
        var told = Map.of("who", VALUE);
        List<ImageNotes> all = List.of(
                new ImageNotes(told, Map.of(), Optional.empty()),
                new ImageNotes(
                        Map.of(),
                        Map.of(),
                        Optional.of(new ImageNotes.Statement(
                                "https://example.org",
                                _ -> ("{\"by\":\"" + VALUE + "\"}").getBytes(StandardCharsets.UTF_8)))));
        for (ImageNotes notes : all) {
            removeStore();
            StoredImage plain = images.tag(
                    make("", "", layer("etc/file", "x")), ImageReference.parse("localhost/caisson-test/plain:1"));
            StoredImage made = images.make(
                    Optional.empty(),
                    List.of(new NewLayer(layer("etc/file", "x"), true)),
                    layers -> config(layers, "", ""),
                    NAME,
                    notes);
            var archive = new ByteArrayOutputStream();
            images.save(List.of(made), ArchiveForm.OCI, archive);
            makeStore();
            var out = new ByteArrayOutputStream();
            refused(() -> images.push(made, RegistryLogins.none(), PullListener.none()), "manifests and statements");
            refused(() -> images.save(List.of(plain, made), ArchiveForm.OCI, out), "manifests and statements");
            assertThat(out.size()).isZero();
            List<StoredImage> before = images.list();
            refused(
                    () -> images.load(new ByteArrayInputStream(archive.toByteArray()), "it"),
                    "manifests and statements");
            assertThat(images.list()).isEqualTo(before);
        }
    }

    @Test
    void a_root_file_system_with_a_value_is_not_imported() throws IOException {
        makeStore();
        List<StoredImage> before = images.list();
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            layer("srv/file", VALUE).writeTo(gzip);
        }
        var clean = new ByteArrayOutputStream();
        layer("srv/file", "nothing").writeTo(clean);
        refused(() -> imported(packed.toByteArray()), "srv/file", "its new layer");
        refused(() -> imported(clean.toByteArray(), "ENV TOKEN=" + VALUE), "the variable TOKEN");
        assertThat(images.list()).isEqualTo(before);
        assertThat(imported(clean.toByteArray(), "ENV TOKEN=none")).isNotNull();
    }

    private StoredImage imported(byte[] archive, String... changes) {
        return images.importRoot(
                new ByteArrayInputStream(archive),
                "it",
                new ImportOptions(Optional.empty(), List.of(changes)),
                Optional.of(ImageReference.parse("caisson-test/imported:1")));
    }

    @Test
    void a_container_that_has_written_a_value_is_not_committed() throws Exception {
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        StoredImage base = make("\"Cmd\":[\"sh\"]", "", to -> {
            var archive = new TarWriter(to);
            archive.directory("bin", PLAIN);
            archive.directory("srv", PLAIN);
            archive.file("bin/sh", busybox.length, PLAIN);
            archive.content(busybox, busybox.length);
            archive.finish();
        });
        makeStore();
        String halves = VALUE.substring(0, 9) + "\"\"" + VALUE.substring(9); // no text of the spec has it
        DetachedContainer container = engine.create(
                ContainerSpec.of(new Image.Named(NAME), "sh", "-c", "echo x" + halves + " > /srv/note"),
                DetachedOptions.STANDARD);
        try {
            container.start();
            container.await();
            ImageReference name = ImageReference.parse("caisson-test/committed:1");
            refused(() -> images.commit(container.id().value(), name, CommitOptions.STANDARD), "srv/note");
            assertThat(images.has(name)).isFalse();
        } finally {
            container.remove(true);
        }
        assertThat(base.repository()).contains("caisson-test");
    }

    @Test
    void a_file_is_named_however_the_archive_comes_in_pieces() throws IOException {
        var archive = new ByteArrayOutputStream();
        layer("a/" + "long/".repeat(60) + "file", "x".repeat(5000) + VALUE).writeTo(archive);
        byte[] bytes = archive.toByteArray();
        var random = new Random(7);
        try (SecretValue value = value();
                ValueMatcher matcher = ValueMatcher.of(List.of(value))) {
            for (int most : new int[] {1, 7, 511, 512, 5000, bytes.length}) {
                var search = new LayerSearch(matcher);
                Optional<LayerSearch.Found> found = Optional.empty();
                for (int at = 0; at < bytes.length && found.isEmpty(); ) {
                    int part = Math.min(bytes.length - at, 1 + random.nextInt(most));
                    byte[] piece = Arrays.copyOfRange(bytes, at, at + part);
                    found = search.take(piece, 0, part);
                    at += part;
                }
                assertThat(found.orElseThrow().file()).endsWith("long/file");
            }
        }
    }
}
