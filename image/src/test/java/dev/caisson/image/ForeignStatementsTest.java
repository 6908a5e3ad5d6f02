package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Statements of others that stand beside an image in its index: kept by a pull and a load, and passed on.
@Timeout(60)
class ForeignStatementsTest {
    private static final String IN_TOTO = "application/vnd.in-toto+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    /// A registry's repository: an image, manifests of statements, and an index of all of them.
    private static final class Repository {
        final SampleImage image;
        final Map<Digest, byte[]> manifests = new HashMap<>();
        final List<String> entries = new ArrayList<>();
        final Set<Digest> missing = new HashSet<>();

        Repository(SampleImage image) {
            this.image = image;
            manifests.put(image.digest(), image.manifest);
            entries.add(entry(image.manifest, "linux", Platform.running().architecture(), ""));
        }

        private static String entry(byte[] manifest, String os, String architecture, String more) {
            return "{\"mediaType\":\"" + SampleImage.MANIFEST_TYPE + "\",\"digest\":\"" + Digest.of(manifest)
                    + "\",\"size\":" + manifest.length + more + ",\"platform\":{\"architecture\":\"" + architecture
                    + "\",\"os\":\"" + os + "\"}}";
        }

        /// Adds a manifest of one statement.
        /// @param size what the manifest calls the statement's size
        /// @return the statement's digest
        Digest state(Digest about, String text, long size) {
            return state(about, text, size, IN_TOTO, 1, "");
        }

        /// @param times how often the manifest names the statement
        Digest state(Digest about, String text, long size, String type, int times, String padding) {
            byte[] statement = text.getBytes(StandardCharsets.UTF_8);
            byte[] config = "{}".getBytes(StandardCharsets.UTF_8);
            image.blobs.put(Digest.of(statement), statement);
            image.blobs.put(Digest.of(config), config);
            byte[] manifest = ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.MANIFEST_TYPE
                            + "\",\"config\":{\"mediaType\":\"" + CONFIG + "\",\"digest\":\"" + Digest.of(config)
                            + "\",\"size\":2},\"layers\":["
                            + String.join(
                                    ",",
                                    Collections.nCopies(
                                            times,
                                            "{\"mediaType\":\"" + type + "\",\"digest\":\"" + Digest.of(statement)
                                                    + "\",\"size\":" + size + "}"))
                            + "],\"annotations\":{\"padding\":\"" + padding + "\"}}")
                    .getBytes(StandardCharsets.UTF_8);
            manifests.put(Digest.of(manifest), manifest);
            entries.add(entry(
                    manifest,
                    "unknown",
                    "unknown",
                    ",\"annotations\":{\"vnd.docker.reference.digest\":\"" + about
                            + "\",\"vnd.docker.reference.type\":\"attestation-manifest\"}"));
            return Digest.of(statement);
        }

        byte[] index() {
            return ("{\"schemaVersion\":2,\"mediaType\":\"" + SampleImage.INDEX_TYPE + "\",\"manifests\":["
                            + String.join(",", entries) + "]}")
                    .getBytes(StandardCharsets.UTF_8);
        }

        void answer(ScriptedRegistry.Request request, java.io.OutputStream out) throws IOException {
            int at = request.path().indexOf("sha256:");
            if (at < 0) {
                ScriptedRegistry.ok(out, SampleImage.INDEX_TYPE, index());
                return;
            }
            var digest = new Digest(request.path().substring(at + "sha256:".length()));
            byte[] manifest = manifests.get(digest);
            if (missing.contains(digest)) {
                ScriptedRegistry.plain(out, "404 Not Found", "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
            } else if (manifest != null) {
                ScriptedRegistry.ok(out, SampleImage.MANIFEST_TYPE, manifest);
            } else {
                ScriptedRegistry.blob(image, request, out);
            }
        }

        StoredImage pulledInto(ImageStore store) throws IOException {
            try (var registry = new ScriptedRegistry(this::answer)) {
                StoredImage pulled = store.pull(
                        ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none());
                return store.tag(pulled, ImageReference.parse("app:1"));
            }
        }
    }

    private ImageStore store(String name) {
        return ImageStore.open(temporary.resolve(name));
    }

    private String blob(String store, Digest digest) throws IOException {
        return Files.readString(
                temporary.resolve(store).resolve("content/blobs/sha256").resolve(digest.hex()));
    }

    private static byte[] saved(ImageStore store, StoredImage image, ArchiveForm form) throws IOException {
        var archive = new ByteArrayOutputStream();
        store.save(List.of(image), form, archive);
        return archive.toByteArray();
    }

    @Test
    void an_index_of_one_image_and_its_statements_stays_as_it_was() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest statement = repository.state(repository.image.digest(), "made by others", 14);
        try (ImageStore store = store("one");
                ImageStore other = store("other")) {
            StoredImage pulled = repository.pulledInto(store);

            assertThat(pulled.index().orElseThrow().digest()).isEqualTo(Digest.of(repository.index()));
            assertThat(pulled.manifest()).isEqualTo(repository.image.digest());
            assertThat(blob("one", statement)).isEqualTo("made by others");

            byte[] archive = saved(store, pulled, ArchiveForm.OCI);
            StoredImage loaded = other.load(
                            new ByteArrayInputStream(archive), "the archive", Platform.running(), _ -> {})
                    .getFirst();
            assertThat(loaded.index()).isEqualTo(pulled.index());
            other.removeUnused();
            assertThat(blob("other", statement)).isEqualTo("made by others");
            assertThat(saved(other, loaded, ArchiveForm.OCI)).isEqualTo(archive);
        }
    }

    @Test
    void an_index_of_other_images_too_becomes_one_of_this_image_and_what_is_said_of_it() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        var foreign = new SampleImage("z", "riscv128");
        repository.entries.add(Repository.entry(foreign.manifest, "linux", "riscv128", ""));
        Digest own = repository.state(repository.image.digest(), "of this", 7);
        Digest others = repository.state(foreign.digest(), "of the other", 12);
        try (ImageStore store = store("one")) {
            StoredImage pulled = repository.pulledInto(store);

            assertThat(pulled.pulled()).isEqualTo(Digest.of(repository.index()));
            assertThat(blob("one", pulled.index().orElseThrow().digest()))
                    .contains(repository.image.digest().toString(), "\"vnd.docker.reference.type\"")
                    .doesNotContain(foreign.digest().toString());
            assertThat(blob("one", own)).isEqualTo("of this");
            assertThat(temporary.resolve("one/content/blobs/sha256").resolve(others.hex()))
                    .doesNotExist();
        }
    }

    @Test
    void an_image_whose_statements_the_registry_lacks_is_pulled_without_them() throws IOException {
        for (boolean isManifest : List.of(true, false)) {
            var repository = new Repository(new SampleImage("y"));
            Digest statement = repository.state(repository.image.digest(), "made by others", 14);
            repository.missing.addAll(repository.manifests.keySet());
            repository.missing.remove(repository.image.digest());
            if (!isManifest) {
                repository.missing.clear();
                repository.missing.add(statement);
            }
            try (ImageStore store = store("one" + isManifest)) {
                StoredImage pulled = repository.pulledInto(store);
                assertThat(pulled.index()).isEmpty();
                assertThat(pulled.manifest()).isEqualTo(repository.image.digest());
            }
        }
    }

    @Test
    void an_archive_without_the_statements_is_loaded_without_them() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest _ = repository.state(repository.image.digest(), "made by others", 14);
        try (ImageStore store = store("one");
                ImageStore other = store("other")) {
            StoredImage pulled = repository.pulledInto(store);
            byte[] archive = saved(store, pulled, ArchiveForm.DOCKER);
            StoredImage loaded = other.load(
                            new ByteArrayInputStream(archive), "the archive", Platform.running(), _ -> {})
                    .getFirst();
            assertThat(loaded.index()).isEmpty();
            assertThat(loaded.manifest()).isEqualTo(pulled.manifest());
        }
    }

    @Test
    void statements_that_are_too_large_or_too_many_are_refused_and_leave_no_image() throws IOException {
        var large = new Repository(new SampleImage("y"));
        Digest _ = large.state(large.image.digest(), "made by others", (256L << 20) + 1);
        var many = new Repository(new SampleImage("y"));
        for (int i = 0; i <= 64; i++) {
            Digest _ = many.state(many.image.digest(), "number " + (i + 10), 9);
        }
        var heavy = new Repository(new SampleImage("y"));
        for (int i = 0; i < 2; i++) {
            Digest _ = heavy.state(heavy.image.digest(), "heavy " + i, 7, IN_TOTO, 1, "x".repeat(3 << 20));
        }
        var full = new Repository(new SampleImage("y"));
        for (int i = 0; i < 3; i++) {
            Digest _ = full.state(full.image.digest(), "full " + i, 6, IN_TOTO, 400, "");
        }
        for (Repository repository : List.of(large, many, heavy, full)) {
            try (ImageStore store = store("one")) {
                var refused = catchThrowableOfType(ImageException.class, () -> repository.pulledInto(store));
                assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
                assertThat(store.images()).isEmpty();
            }
        }
    }

    @Test
    void a_manifest_of_statements_of_three_mebibytes_is_kept() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest statement = repository.state(repository.image.digest(), "heavy", 5, IN_TOTO, 1, "x".repeat(3 << 20));
        try (ImageStore store = store("one")) {
            assertThat(repository.pulledInto(store).index()).isPresent();
            assertThat(blob("one", statement)).isEqualTo("heavy");
        }
    }

    @Test
    void a_statement_that_is_not_what_its_digest_says_refuses_the_image() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest statement = repository.state(repository.image.digest(), "made by others", 14);
        repository.image.blobs.put(statement, "made by nobody".getBytes(StandardCharsets.UTF_8));
        try (ImageStore store = store("one")) {
            var refused = catchThrowableOfType(ImageException.class, () -> repository.pulledInto(store));
            assertThat(refused.reason()).isEqualTo(Code.DIGEST_MISMATCH);
            assertThat(store.images()).isEmpty();
        }
    }

    @Test
    void a_statement_that_calls_itself_an_index_is_pushed_as_a_blob() throws IOException {
        for (String type : List.of(SampleImage.INDEX_TYPE, SampleImage.MANIFEST_TYPE)) {
            var repository = new Repository(new SampleImage("y"));
            Digest statement = repository.state(repository.image.digest(), "made by others", 14, type, 1, "");
            var manifests = Collections.synchronizedList(new ArrayList<String>());
            try (ImageStore store = store(type.replace('/', '-'));
                    var registry = new ScriptedRegistry((request, out) -> {
                        if (request.path().contains("/manifests/")) {
                            manifests.add(Digest.of(request.content()).toString());
                            ScriptedRegistry.plain(out, "201 Created", "");
                        } else {
                            ScriptedRegistry.plain(out, "200 OK", ""); // it has all blobs
                        }
                    })) {
                StoredImage pulled = repository.pulledInto(store);
                store.push(
                        store.tag(pulled, ImageReference.parse(registry.name() + "/app:1")),
                        RegistryLogins.none(),
                        PullListener.none());

                assertThat(manifests)
                        .doesNotContain(statement.toString())
                        .hasSize(3)
                        .last()
                        .isEqualTo(Digest.of(repository.index()).toString());
            }
        }
    }

    @Test
    void statements_take_room_of_their_image() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest _ = repository.state(repository.image.digest(), "made by others", 14);
        try (ImageStore store = store("one")) {
            StoredImage pulled = repository.pulledInto(store);
            ImageSizes sizes = store.sizes();
            assertThat(sizes.of(List.of(pulled))).isEqualTo(sizes.all()).isGreaterThan(14);
        }
    }

    @Test
    void statements_go_with_their_image() throws IOException {
        var repository = new Repository(new SampleImage("y"));
        Digest _ = repository.state(repository.image.digest(), "made by others", 14);
        try (ImageStore store = store("one")) {
            StoredImage _ = repository.pulledInto(store);
            store.remove(Set.copyOf(store.images()));
            try (Stream<Path> blobs = Files.list(temporary.resolve("one/content/blobs/sha256"))) {
                assertThat(blobs).isEmpty();
            }
        }
    }
}
