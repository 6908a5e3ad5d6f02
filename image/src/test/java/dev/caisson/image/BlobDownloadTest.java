package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.registry.RegistryClient.Blob;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Fetches of one blob: from the start, from where an earlier one was cut, beside another one, and given up.
@Timeout(30)
class BlobDownloadTest {
    private static final byte[] BLOB = "0123456789".getBytes(StandardCharsets.US_ASCII);
    private static final Digest DIGEST = Digest.of(BLOB);

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Fd parent;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ContentStore store;

    private final List<Long> opened = new ArrayList<>();
    private final List<Long> progress = new ArrayList<>();

    @BeforeEach
    void open() throws IOException {
        Path directory = temporary.toRealPath();
        parent = FileSystem.open(directory.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        store = ContentStore.open(directory, parent);
    }

    @AfterEach
    void close() {
        store.close();
        parent.close();
    }

    private Path blobs() {
        return temporary.resolve("content/blobs/sha256");
    }

    private Path partial() {
        return blobs().resolve(DIGEST.hex() + ".partial");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(blobs())) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    private void assertFetched() throws IOException {
        assertThat(names()).containsExactly(DIGEST.hex());
        assertThat(blobs().resolve(DIGEST.hex())).hasBinaryContent(BLOB);
    }

    private void fetch(BlobDownload.Source source) throws IOException {
        var wanted = new Descriptor("a/b", DIGEST, BLOB.length, Optional.empty(), Map.of());
        var noting = (BlobDownload.Source) from -> {
            opened.add(from);
            assertThat(opened).hasSizeLessThan(50);
            return source.open(from);
        };
        new BlobDownload(store, wanted, noting, progress::add).run();
    }

    private CaissonException refused(BlobDownload.Source source) {
        CaissonException refused = catchThrowableOfType(CaissonException.class, () -> fetch(source));
        assertThat(refused).isNotNull();
        return refused;
    }

    /// Gives bytes of a content from where it was asked, up to `end`.
    private static Blob part(byte[] content, long from, int end) {
        return new Blob(new ByteArrayInputStream(content, (int) from, end - (int) from), from);
    }

    private static Blob rest(long from) {
        return part(BLOB, from, BLOB.length);
    }

    @Test
    void a_blob_gets_its_name_when_all_of_it_is_there_and_is_not_fetched_again() throws IOException {
        fetch(BlobDownloadTest::rest);
        assertFetched();
        assertThat(progress).containsExactly(10L, 10L);
        progress.clear();
        fetch(_ -> {
            throw new AssertionError("it is there");
        });
        assertThat(progress).containsExactly(10L);
    }

    @Test
    void a_blob_of_another_size_under_its_name_is_fetched_again() throws IOException {
        Files.writeString(blobs().resolve(DIGEST.hex()), "0123");
        fetch(BlobDownloadTest::rest);
        assertFetched();
    }

    @Test
    void a_fetch_goes_on_where_an_earlier_one_ended() throws IOException {
        Files.writeString(partial(), "0123");
        fetch(BlobDownloadTest::rest);
        assertFetched();
        assertThat(opened).containsExactly(4L);
    }

    @Test
    void what_an_earlier_one_left_may_be_whole() throws IOException {
        Files.write(partial(), BLOB);
        fetch(BlobDownloadTest::rest);
        assertFetched();
        assertThat(opened).isEmpty();
    }

    @Test
    void what_an_earlier_one_left_is_thrown_away_if_it_is_wrong_or_too_long() throws IOException {
        for (String left : List.of("0x23", "0123456789x", "0x23456789")) {
            opened.clear();
            Files.writeString(partial(), left);
            fetch(BlobDownloadTest::rest);
            assertFetched();
            assertThat(opened).last().isEqualTo(0L);
            Files.delete(blobs().resolve(DIGEST.hex()));
        }
    }

    @Test
    void content_of_another_digest_is_thrown_away_at_once() throws IOException {
        byte[] other = "x123456789".getBytes(StandardCharsets.US_ASCII);
        CaissonException refused = refused(from -> part(other, from, 10));
        assertThat(refused.code()).isEqualTo("DIGEST_MISMATCH");
        assertThat(refused.sentence()).contains(DIGEST.toString());
        assertThat(opened).containsExactly(0L);
        assertThat(names()).isEmpty();
    }

    @Test
    void content_that_is_wrong_twice_is_thrown_away() throws IOException {
        byte[] other = "xxxxxxxxxx".getBytes(StandardCharsets.US_ASCII);
        Files.writeString(partial(), "01");
        assertThat(refused(from -> part(other, from, 10)).code()).isEqualTo("DIGEST_MISMATCH");
        assertThat(opened).containsExactly(2L, 0L);
        assertThat(names()).isEmpty();
    }

    @Test
    void no_more_is_read_than_the_blob_has() throws IOException {
        byte[] longer = "0123456789xxx".getBytes(StandardCharsets.US_ASCII);
        fetch(from -> part(longer, from, longer.length));
        assertFetched();
    }

    // ---- a source that breaks off

    @Test
    void a_fetch_that_breaks_off_goes_on_while_something_comes() throws IOException {
        fetch(from -> part(BLOB, from, (int) from + 1));
        assertFetched();
        assertThat(opened).hasSize(10).isSorted();
        assertThat(progress).startsWith(1L, 2L, 3L);
    }

    @Test
    void a_source_that_gives_nothing_is_asked_three_times_and_what_is_there_stays() throws IOException {
        CaissonException refused = refused(from -> part(BLOB, from, Math.max((int) from, 4)));
        assertThat(refused.code()).isEqualTo("REGISTRY_UNREACHABLE");
        assertThat(refused.sentence()).contains("it ended after 4 of 10 bytes");
        assertThat(opened).containsExactly(0L, 4L, 4L, 4L);
        assertThat(partial()).hasContent("0123");
    }

    @Test
    void a_source_that_fails_is_asked_again_too() throws IOException {
        InputStream failing = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("reset");
            }

            @Override
            public int read(byte[] bytes, int at, int count) throws IOException {
                throw new IOException("reset");
            }
        };
        CaissonException refused = refused(from -> new Blob(failing, from));
        assertThat(refused.sentence()).contains("reset");
        assertThat(opened).hasSize(3);
    }

    @Test
    void a_source_without_ranges_begins_anew() throws IOException {
        Files.writeString(partial(), "xyz");
        fetch(_ -> rest(0));
        assertFetched();
        assertThat(opened).containsExactly(3L);
    }

    @Test
    void a_source_without_ranges_that_breaks_off_at_the_same_place_each_time_is_given_up() throws IOException {
        assertThat(refused(_ -> part(BLOB, 0, 4)).code()).isEqualTo("REGISTRY_UNREACHABLE");
        assertThat(opened).containsExactly(0L, 4L, 4L, 4L);
    }

    // ---- two that want the same

    private CompletableFuture<Thread> waiting(BlobDownload.Source source) {
        var done = new CompletableFuture<Thread>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                fetch(source);
                done.complete(Thread.currentThread());
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            assertThat(done).isNotDone();
            Thread.onSpinWait();
        }
        started = thread;
        return done;
    }

    @SuppressWarnings("NullAway.Init") // set by waiting()
    private Thread started;

    private Fd lockPartial() throws IOException {
        Files.createFile(partial());
        Fd file = FileSystem.open(partial().toString(), FileSystem.O_RDWR);
        assertThat(FileLocks.tryLock(file)).isTrue();
        return file;
    }

    @Test
    void what_another_one_fetches_is_waited_for() throws Exception {
        CompletableFuture<Thread> done;
        try (Fd _ = lockPartial()) {
            done = waiting(_ -> {
                throw new AssertionError("the other one has fetched it");
            });
            Files.write(partial(), BLOB);
            Files.move(partial(), blobs().resolve(DIGEST.hex()));
        }
        done.get(20, TimeUnit.SECONDS);
        assertFetched();
        assertThat(progress).containsExactly(10L);
    }

    @Test
    void what_another_one_has_thrown_away_is_fetched_into_a_new_file() throws Exception {
        CompletableFuture<Thread> done;
        try (Fd _ = lockPartial()) {
            done = waiting(BlobDownloadTest::rest);
            Files.delete(partial());
        }
        done.get(20, TimeUnit.SECONDS);
        assertFetched();
    }

    @Test
    void what_another_one_has_begun_anew_is_fetched_into_the_new_file() throws Exception {
        CompletableFuture<Thread> done;
        try (Fd _ = lockPartial()) {
            done = waiting(BlobDownloadTest::rest);
            Files.delete(partial());
            Files.writeString(partial(), "012");
        }
        done.get(20, TimeUnit.SECONDS);
        assertFetched();
        assertThat(opened).containsExactly(3L);
    }

    @Test
    void one_that_waits_can_be_interrupted() throws IOException {
        try (Fd _ = lockPartial()) {
            CompletableFuture<Thread> done = waiting(BlobDownloadTest::rest);
            started.interrupt();
            var failed = catchThrowableOfType(ExecutionException.class, done::get);
            assertThat(failed.getCause())
                    .isInstanceOf(ImageException.class)
                    .hasMessageContaining("the part " + DIGEST + " was interrupted");
        }
        assertThat(opened).isEmpty();
    }
}
