package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The list of images and the blobs that they name: what is added, renamed and removed, and what stays.
class ContentStoreTest {
    private static final String REPOSITORY = "docker.io/library/app";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Fd parent;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ContentStore store;

    @SuppressWarnings("NullAway.Init") // set before each test
    private SampleImage one;

    @SuppressWarnings("NullAway.Init") // set before each test
    private SampleImage two;

    @BeforeEach
    void open() throws IOException {
        Path directory = temporary.toRealPath();
        parent = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        store = ContentStore.open(directory, parent);
        one = put(new SampleImage("1"));
        two = put(new SampleImage("2"));
    }

    @AfterEach
    void close() {
        store.close();
        parent.close();
    }

    private Path content() {
        return temporary.resolve("content");
    }

    private Path blob(Digest digest) {
        return content().resolve("blobs/sha256").resolve(digest.hex());
    }

    private SampleImage put(SampleImage image) throws IOException {
        for (var each : image.blobs.entrySet()) {
            Files.write(blob(each.getKey()), each.getValue());
        }
        Files.write(blob(image.digest()), image.manifest);
        return image;
    }

    private static StoredImage named(SampleImage image, String repository, String tag) {
        return new StoredImage(
                repository,
                Optional.of(tag).filter(name -> !name.isEmpty()),
                image.digest(),
                image.digest(),
                SampleImage.MANIFEST_TYPE,
                image.manifest.length,
                1_700_000_000_123L);
    }

    private static StoredImage named(SampleImage image, String tag) {
        return named(image, REPOSITORY, tag);
    }

    private Set<String> blobs() throws IOException {
        try (Stream<Path> files = Files.list(content().resolve("blobs/sha256"))) {
            return Set.copyOf(files.map(file -> file.getFileName().toString()).toList());
        }
    }

    private static Set<String> all(SampleImage... images) {
        return Set.copyOf(Stream.of(images)
                .flatMap(image -> Stream.concat(image.blobs.keySet().stream(), Stream.of(image.digest())))
                .map(Digest::hex)
                .distinct()
                .toList());
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    // ---- its files

    @Test
    void it_is_a_layout_that_other_tools_can_read_and_only_its_owner() throws IOException {
        store.add(named(one, "1"));
        assertThat(content().resolve("oci-layout")).hasContent("{\"imageLayoutVersion\":\"1.0.0\"}");
        for (String directory : List.of("", "blobs", "blobs/sha256")) {
            assertThat(mode(content().resolve(directory))).isEqualTo("rwx------");
        }
        for (String file : List.of("oci-layout", "index.json", "lock")) {
            assertThat(mode(content().resolve(file))).isEqualTo("rw-------");
        }
        try (Stream<Path> files = Files.list(content())) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("oci-layout", "index.json", "lock", "blobs");
        }
        try (var reader = new OciLayoutReader(content())) {
            assertThat(reader.read(Optional.of(REPOSITORY + ":1")).id()).isEqualTo(one.digest());
        }
    }

    @Test
    void one_that_is_opened_again_has_what_it_had() throws IOException {
        store.add(named(one, "1"));
        Files.writeString(content().resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}\n");
        try (ContentStore again = ContentStore.open(temporary.toRealPath(), parent)) {
            assertThat(again.images()).isEqualTo(store.images()).hasSize(1);
        }
        assertThat(Files.readString(content().resolve("oci-layout"))).endsWith("\n");
    }

    @Test
    void one_that_cannot_be_made_is_told() throws IOException {
        Path gone = Files.createDirectory(temporary.resolve("gone"));
        try (Fd directory = FileSystem.open(gone.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            Files.delete(gone);
            assertThatThrownBy(() -> ContentStore.open(gone, directory))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("mkdirat");
        }
        Path taken = Files.createDirectories(temporary.resolve("taken"));
        Files.createSymbolicLink(taken.resolve("content"), content());
        try (Fd directory = FileSystem.open(taken.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            assertThatThrownBy(() -> ContentStore.open(taken, directory)).hasMessageContaining("ELOOP");
        }
    }

    // ---- the list

    @Test
    void an_image_is_found_by_its_name_and_either_digest() {
        Digest index = Digest.of(new byte[] {7});
        var pulled = new StoredImage(
                REPOSITORY, Optional.of("1"), one.digest(), index, SampleImage.MANIFEST_TYPE, one.manifest.length, 7);
        store.add(pulled);
        assertThat(store.images()).containsExactly(pulled);
        assertThat(store.find(ImageReference.parse("app:1"))).contains(pulled);
        assertThat(store.find(ImageReference.parse("app@" + one.digest()))).contains(pulled);
        assertThat(store.find(ImageReference.parse("app@" + index))).contains(pulled);
        assertThat(store.find(ImageReference.parse("app@" + two.digest()))).isEmpty();
        assertThat(store.find(ImageReference.parse("app:2"))).isEmpty();
        assertThat(store.find(ImageReference.parse("other:1"))).isEmpty();
    }

    @Test
    void a_name_that_moves_leaves_the_image_that_had_it_without_one() {
        store.add(named(one, "1"));
        store.add(named(one, "other/app", "1"));
        store.add(named(one, "2"));
        store.add(named(two, "1"));
        assertThat(store.images())
                .containsExactly(named(one, ""), named(one, "other/app", "1"), named(one, "2"), named(two, "1"));
    }

    @Test
    void an_image_that_is_added_again_is_there_once() {
        store.add(named(one, "1"));
        store.add(named(two, "1"));
        store.add(named(one, "1"));
        store.add(named(one, "1"));
        assertThat(store.images()).containsExactly(named(two, ""), named(one, "1"));
        store.add(named(two, ""));
        assertThat(store.images()).containsExactly(named(one, "1"), named(two, ""));
        store.add(named(two, "other/app", ""));
        assertThat(store.images()).hasSize(3);
    }

    @Test
    void an_image_that_loses_its_names_is_there_once_without_one() throws IOException {
        store.add(named(one, "1"));
        store.add(named(one, "2"));
        store.add(named(two, "3"));
        store.untag(named(one, "1"));
        assertThat(store.images()).containsExactly(named(one, ""), named(one, "2"), named(two, "3"));
        store.untag(named(one, "2"));
        assertThat(store.images()).containsExactly(named(one, ""), named(two, "3"));
        assertThat(blobs()).isEqualTo(all(one, two));
    }

    @Test
    void an_image_is_described_by_its_own_documents() throws IOException {
        StoredImage image = named(one, "1");
        store.add(image);
        assertThat(store.describe(image).id()).isEqualTo(one.config);
        assertThat(store.config(image)).isEqualTo(one.blob(one.config));
        assertThat(store.manifest(image).layers())
                .hasSize(2)
                .last()
                .satisfies(layer -> assertThat(layer.digest()).isEqualTo(one.upper));
        assertThat(store.<Integer>read(image, packed -> packed.layers().size())).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "dev.caisson.image.repository; x; dev.caisson.image.repository is missing",
                "dev.caisson.image.pulled\"; x\"; dev.caisson.image.pulled is missing",
                "dev.caisson.image.pulled.millis; x; dev.caisson.image.pulled.millis is missing",
                "1700000000123; -1; a time is not a number",
                "1700000000123; 1234567890123456; a time is not a number",
                "1700000000123; ; a time is not a number",
            })
    void a_list_that_another_tool_has_written_is_refused(String word, String other, String part) throws IOException {
        store.add(named(one, "1"));
        Path index = content().resolve("index.json");
        Files.writeString(index, Files.readString(index).replace(word, other == null ? "" : other));
        assertThatThrownBy(() -> store.images())
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.STORE_REFUSED))
                .hasMessageContaining(part);
    }

    // ---- blobs

    private static Descriptor descriptor(Digest digest, long size) {
        return new Descriptor("a/b", digest, size, Optional.empty(), Map.of());
    }

    @Test
    void a_blob_is_there_with_all_of_its_bytes() throws IOException {
        int size = one.blob(one.upper).length;
        assertThat(store.has(descriptor(one.upper, size))).isTrue();
        assertThat(store.has(descriptor(one.upper, size - 1))).isFalse();
        assertThat(store.has(descriptor(one.upper, size + 1))).isFalse();
        assertThat(store.has(descriptor(Digest.of(new byte[] {9}), size))).isFalse();
        try (var channel = store.open(descriptor(one.upper, size))) {
            assertThat(channel.size()).isEqualTo(size);
        }
    }

    @Test
    void all_blobs_are_counted() throws IOException {
        Files.writeString(blob(Digest.of(new byte[] {9})), "123");
        long bytes = 3;
        for (Collection<byte[]> each : List.of(one.blobs.values(), List.of(one.manifest, two.manifest))) {
            bytes += each.stream().mapToLong(blob -> blob.length).sum();
        }
        for (var each : two.blobs.entrySet()) {
            bytes += one.blobs.containsKey(each.getKey()) ? 0 : each.getValue().length;
        }
        assertThat(store.sizes().values().stream().mapToLong(Long::longValue).sum())
                .isEqualTo(bytes);
    }

    @Test
    void blobs_go_with_their_last_image() throws IOException {
        store.add(named(one, "1"));
        store.add(named(one, "2"));
        store.add(named(two, "3"));
        store.remove(Set.of(named(one, "1")));
        assertThat(store.images()).containsExactly(named(one, "2"), named(two, "3"));
        assertThat(blobs()).isEqualTo(all(one, two));
        store.remove(Set.of(named(one, "2")));
        assertThat(blobs()).isEqualTo(all(two));
        store.remove(Set.of(named(two, "3")));
        assertThat(store.images()).isEmpty();
        assertThat(blobs()).isEmpty();
    }

    @Test
    void what_a_killed_process_has_left_goes_but_not_while_somebody_fetches() throws IOException {
        store.add(named(one, "1"));
        Path left = Files.writeString(content().resolve("blobs/sha256/new-0.partial"), "x");
        try (Fd _ = store.keepBlobs();
                Fd _ = store.keepBlobs()) {
            store.removeLeft();
            assertThat(left).exists();
        }
        store.removeLeft();
        assertThat(blobs()).isEqualTo(all(one));
    }

    @Test
    void nothing_goes_while_an_image_is_damaged_and_nobody_knows_what_it_needs() throws IOException {
        store.add(named(one, "1"));
        store.add(named(two, "2"));
        Files.writeString(blob(one.digest()), "{}");
        store.remove(Set.of(named(two, "2")));
        assertThat(store.images()).containsExactly(named(one, "1"));
        assertThat(blobs()).isEqualTo(all(one, two));
        store.remove(Set.of(named(one, "1")));
        assertThat(blobs()).isEmpty();
    }

    // ---- a blob that is written

    private static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) ((i * 31) >>> 3);
        }
        return bytes;
    }

    @Test
    void a_written_blob_has_its_name_at_its_end_and_all_that_was_written() throws IOException {
        for (int size : new int[] {0, 1, (128 << 10) - 1, 128 << 10, (128 << 10) + 1, 300_000}) {
            byte[] whole = bytes(size);
            Descriptor descriptor;
            try (var blob = new BlobWriter(store.blobs())) {
                int at = 0;
                for (int part = 1; at < size; part = part * 7 % 90_001) {
                    int count = Math.min(part, size - at);
                    if (count == 1) {
                        blob.write(whole[at]);
                    } else {
                        blob.write(whole, at, count);
                    }
                    at += count;
                }
                assertThat(blob(Digest.of(whole))).doesNotExist();
                descriptor = blob.finish("a/b");
            }
            assertThat(descriptor).isEqualTo(descriptor(Digest.of(whole), size));
            assertThat(blob(descriptor.digest())).hasBinaryContent(whole);
            assertThat(mode(blob(descriptor.digest()))).isEqualTo("rw-------");
        }
    }

    @Test
    void a_blob_that_is_not_finished_leaves_nothing() throws IOException {
        try (var blob = new BlobWriter(store.blobs())) {
            blob.write(7);
            assertThat(blobs())
                    .hasSize(all(one, two).size() + 1)
                    .anyMatch(name -> name.matches("new-[0-9a-f]{32}.partial"));
        }
        assertThat(blobs()).isEqualTo(all(one, two));
        var names = new ArrayList<String>();
        try (var blob = new BlobWriter(store.blobs())) {
            names.addAll(blobs());
            names.removeAll(all(one, two));
            Files.delete(content().resolve("blobs/sha256").resolve(names.getFirst())); // a removal was on
            assertThatThrownBy(() -> blob.write(new byte[1], 1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    // ---- what was read before

    @Test
    void a_document_that_was_read_and_then_damaged_is_refused() throws Exception {
        StoredImage image = named(one, "1");
        store.add(image);
        Thread.sleep(1_200); // a file that is younger is read each time
        assertThat(store.describe(image).id()).isEqualTo(one.config);
        byte[] damaged = one.manifest.clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(blob(one.digest()), damaged);

        assertThatThrownBy(() -> store.describe(image)).hasMessageContaining("is not what its digest says");

        Files.delete(blob(one.digest()));
        assertThatThrownBy(() -> store.describe(image)).hasMessageContaining("cannot be opened");
    }

    @Test
    void a_list_that_was_read_and_then_changed_by_another_process_is_read_again() throws Exception {
        store.add(named(one, "1"));
        Thread.sleep(1_200);
        assertThat(store.images()).containsExactly(named(one, "1"));
        Path list = content().resolve("index.json");
        Files.writeString(list, Files.readString(list).replace("app:1", "app:2"));

        assertThat(store.images()).containsExactly(named(one, "2"));
    }

    @Test
    void a_name_that_an_image_has_already_is_not_written_again() throws Exception {
        store.add(named(one, "1"));
        store.add(named(two, "2"));
        Object before = Files.getAttribute(content().resolve("index.json"), "unix:ino");
        store.add(named(one, "1"));

        assertThat(Files.getAttribute(content().resolve("index.json"), "unix:ino"))
                .isEqualTo(before);
        assertThat(store.images()).containsExactly(named(one, "1"), named(two, "2"));
    }
}
