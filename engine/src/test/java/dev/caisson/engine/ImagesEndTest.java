package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.ArchiveForm;
import dev.caisson.image.ImageReference;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.image.TarWriter.Attributes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Images that are closed, and work with images whose thread is interrupted.
@Tag("root")
@Timeout(60)
class ImagesEndTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("images-end"), OwnDirectories.data("images-end"));
    private static final ImageReference NAME = ImageReference.parse("made:1");

    private final Images images = Images.open(OPTIONS);

    @AfterEach
    void close() {
        boolean _ = Thread.interrupted();
        images.close();
    }

    private static InputStream archive() throws IOException {
        var bytes = new ByteArrayOutputStream();
        var tar = new TarWriter(bytes);
        tar.directory("etc", new Attributes(0755, 0, 0, Instant.ofEpochSecond(1000)));
        tar.finish();
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    private StoredImage made() throws IOException {
        return images.importRoot(archive(), "a test", ImportOptions.STANDARD, Optional.of(NAME));
    }

    private static void assertCode(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class,
                        e -> assertThat(e.code()).as(e.sentence()).isEqualTo(code));
    }

    @Test
    void closed_images_say_so() throws IOException {
        StoredImage image = made();
        images.close();

        for (ThrowingCallable call : List.<ThrowingCallable>of(
                images::list,
                () -> images.has(NAME),
                () -> images.find("made:1"),
                () -> images.describe(image),
                () -> images.config(image),
                this::made,
                () -> images.load(archive(), "a test"),
                () -> images.save(List.of(image), ArchiveForm.OCI, OutputStream.nullOutputStream()),
                () -> images.tag(image, ImageReference.parse("other:1")),
                () -> images.commit("none", CommitOptions.STANDARD),
                () -> images.remove(image),
                () -> images.prune(true),
                images::onDisk)) {
            assertCode("IMAGES_CLOSED", call);
        }
        images.close();
        try (Images again = Images.open(OPTIONS)) {
            again.remove(again.find("made:1"));
        }
    }

    @Test
    void an_interrupt_is_told_as_one_and_leaves_the_store_as_it_was() throws IOException {
        StoredImage image = made();
        List<StoredImage> before = images.list();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> images.importRoot(
                        archive(), "a test", ImportOptions.STANDARD, Optional.of(ImageReference.parse("other:1"))),
                () -> images.save(List.of(image), ArchiveForm.OCI, OutputStream.nullOutputStream()))) {
            Thread.currentThread().interrupt();
            assertCode("INTERRUPTED", call);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(images.list()).isEqualTo(before);
        }
        images.remove(image);
    }
}
