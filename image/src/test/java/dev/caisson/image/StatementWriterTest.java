package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The documents with which an image and a statement about it are stored.
class StatementWriterTest {
    private static final byte[] LAYER = new TarBuilder().file("one", "1").build();
    private static final String INDEX = "application/vnd.oci.image.index.v1+json";
    private static final String CONFIG = "application/vnd.oci.image.config.v1+json";
    private static final String PREDICATE = "https://slsa.dev/provenance/v1";
    private static final Map<String, Object> UNKNOWN = Map.of("architecture", "unknown", "os", "unknown");

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ImageStore store;

    @BeforeEach
    void open() {
        store = ImageStore.open(temporary.resolve("store"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private StoredImage make(ImageNotes notes) {
        return store.make(
                Optional.empty(),
                List.of(new NewLayer(to -> to.write(LAYER), false)),
                layers -> ("{\"os\":\"linux\",\"architecture\":\""
                                + Platform.running().architecture()
                                + "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                        .getBytes(StandardCharsets.UTF_8),
                ImageReference.parse("app:1"),
                notes);
    }

    private static Map<?, ?> parsed(byte[] json) {
        try {
            return (Map<?, ?>) Objects.requireNonNull(Json.parse(json, new Json.Limits(1 << 20, 32, 1000)));
        } catch (MalformedJsonException e) {
            throw new AssertionError(new String(json, StandardCharsets.UTF_8), e);
        }
    }

    private static List<?> list(Map<?, ?> map, String key) {
        return (List<?>) Objects.requireNonNull(map.get(key));
    }

    private static Map<?, ?> member(Map<?, ?> map, String key) {
        return (Map<?, ?>) Objects.requireNonNull(map.get(key));
    }

    private byte[] stored(Digest digest) throws IOException {
        return Files.readAllBytes(
                temporary.resolve("store/content/blobs/sha256").resolve(digest.hex()));
    }

    private static Map<String, Object> entry(String type, Digest digest, long size) {
        return Map.of("mediaType", type, "digest", digest.toString(), "size", size);
    }

    private static Map<String, Object> with(Map<String, Object> entry, String key, Object value) {
        var all = new HashMap<>(entry);
        all.put(key, value);
        return all;
    }

    @Test
    void an_image_with_a_statement_is_in_an_index_beside_the_statement_s_manifest() throws IOException {
        var asked = new ArrayList<Digest>();
        byte[] statement = "{\"_type\":\"it\"}".getBytes(StandardCharsets.UTF_8);
        StoredImage image = make(new ImageNotes(
                Map.of("b", "2", "a", "1 \"quoted\""),
                Map.of("y", "2", "x", "1"),
                Optional.of(new ImageNotes.Statement(PREDICATE, digest -> {
                    asked.add(digest);
                    return statement;
                }))));

        assertThat(asked).containsExactly(image.manifest());
        assertThat(store.statements(image)).containsExactly(statement);
        ImageIndex named = image.index().orElseThrow();
        assertThat(image.pulled()).isEqualTo(named.digest());
        assertThat(named.size()).isEqualTo(stored(named.digest()).length);

        Map<?, ?> index = parsed(stored(named.digest()));
        var about = (Map<?, ?>) list(index, "manifests").get(1);
        var aboutDigest = Descriptor.digest(String.valueOf(about.get("digest")));
        Map<String, Object> platform = Map.of(
                "architecture",
                Platform.running().architecture(),
                "os",
                Platform.running().os());
        assertThat(index)
                .isEqualTo(Map.of(
                        "schemaVersion",
                        2L,
                        "mediaType",
                        INDEX,
                        "manifests",
                        List.of(
                                with(
                                        entry(SampleImage.MANIFEST_TYPE, image.manifest(), image.manifestSize()),
                                        "platform",
                                        platform),
                                with(
                                        with(
                                                entry(
                                                        SampleImage.MANIFEST_TYPE,
                                                        aboutDigest,
                                                        stored(aboutDigest).length),
                                                "platform",
                                                UNKNOWN),
                                        "annotations",
                                        Map.of(
                                                "vnd.docker.reference.digest",
                                                image.manifest().toString(),
                                                "vnd.docker.reference.type",
                                                "attestation-manifest"))),
                        "annotations",
                        Map.of("x", "1", "y", "2")));
        assertThat(new String(stored(named.digest()), StandardCharsets.UTF_8)).containsSubsequence("\"x\"", "\"y\"");

        Map<?, ?> manifest = parsed(stored(aboutDigest));
        var configDigest =
                Descriptor.digest(String.valueOf(member(manifest, "config").get("digest")));
        assertThat(manifest)
                .isEqualTo(Map.of(
                        "schemaVersion",
                        2L,
                        "mediaType",
                        SampleImage.MANIFEST_TYPE,
                        "config",
                        entry(CONFIG, configDigest, stored(configDigest).length),
                        "layers",
                        List.of(with(
                                entry("application/vnd.in-toto+json", Digest.of(statement), statement.length),
                                "annotations",
                                Map.of("in-toto.io/predicate-type", PREDICATE)))));
        assertThat(parsed(stored(configDigest)))
                .isEqualTo(Map.of(
                        "architecture",
                        "unknown",
                        "os",
                        "unknown",
                        "config",
                        Map.of(),
                        "rootfs",
                        Map.of(
                                "type",
                                "layers",
                                "diff_ids",
                                List.of(Digest.of(statement).toString()))));

        assertThat(parsed(stored(image.manifest())).get("annotations"))
                .isEqualTo(Map.of("a", "1 \"quoted\"", "b", "2"));
        assertThat(store.images()).containsExactly(image);
        assertThat(store.check(image).isSound()).isTrue();
        var beside = new ArrayList<Digest>();
        store.readBeside(image, (digest, size, content) -> {
            byte[] read = content.readAllBytes();
            assertThat(Digest.of(read)).isEqualTo(digest);
            assertThat(size).isEqualTo(read.length);
            beside.add(digest);
        });
        assertThat(beside)
                .containsExactly(image.manifest(), configDigest, Digest.of(statement), aboutDigest, named.digest());
        assertThat(OpenFiles.below(temporary.toRealPath().resolve("store/content/blobs/sha256")))
                .as("the directory alone")
                .isOne();
        assertThat(store.layers(image)).extracting(ImageLayer::diffId).containsExactly(Digest.of(LAYER));
    }

    @Test
    void an_image_without_notes_has_none_in_its_documents() throws IOException {
        StoredImage image = make(ImageNotes.none());
        assertThat(image.index()).isEmpty();
        assertThat(store.statements(image)).isEmpty();
        assertThat(parsed(stored(image.manifest())).keySet())
                .isEqualTo(Set.of("schemaVersion", "mediaType", "config", "layers"));
        StoredImage stated = make(new ImageNotes(
                Map.of(), Map.of(), Optional.of(new ImageNotes.Statement(PREDICATE, _ -> new byte[] {1}))));
        assertThat(parsed(stored(stated.index().orElseThrow().digest())).keySet())
                .isEqualTo(Set.of("schemaVersion", "mediaType", "manifests"));
        assertThat(stated.manifest()).isEqualTo(image.manifest());
    }

    @Test
    void notes_do_not_change_with_the_maps_that_they_were_made_of() {
        var manifest = new HashMap<>(Map.of("a", "1"));
        var index = new HashMap<>(Map.of("b", "2"));
        var notes = new ImageNotes(manifest, index, Optional.empty());
        manifest.clear();
        index.clear();
        assertThat(notes.manifest()).isEqualTo(Map.of("a", "1"));
        assertThat(notes.index()).isEqualTo(Map.of("b", "2"));
        assertThat(ImageNotes.none()).isEqualTo(new ImageNotes(Map.of(), Map.of(), Optional.empty()));
    }

    @Test
    void an_index_describes_each_entry_as_it_was() {
        Digest one = Digest.of(new byte[] {1});
        Digest two = Digest.of(new byte[] {2});
        var image = new Descriptor(
                SampleImage.MANIFEST_TYPE,
                one,
                11,
                Optional.of(new Platform("linux", "arm", "v7")),
                Map.of("n", "1", "m", "2"));
        var statement = new Descriptor("text/plain", two, 22, Optional.empty(), Map.of());
        byte[] index = StatementWriter.index(image, List.of(statement, statement));
        assertThat(parsed(index))
                .isEqualTo(Map.of(
                        "schemaVersion",
                        2L,
                        "mediaType",
                        INDEX,
                        "manifests",
                        List.of(
                                with(
                                        with(
                                                entry(SampleImage.MANIFEST_TYPE, one, 11),
                                                "platform",
                                                Map.of("architecture", "arm", "os", "linux", "variant", "v7")),
                                        "annotations",
                                        Map.of("m", "2", "n", "1")),
                                entry("text/plain", two, 22),
                                entry("text/plain", two, 22))));
        assertThat(new String(index, StandardCharsets.UTF_8)).containsSubsequence("\"m\"", "\"n\"");
    }
}
