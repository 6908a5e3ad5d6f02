package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/// What is skipped of an archive counts as what is read of it.
class BoundedArchiveTest {
    private static BoundedArchive open(byte[] archive) throws IOException {
        return new BoundedArchive(new ByteArrayInputStream(archive), "the archive");
    }

    @Test
    void a_skip_ends_where_the_archive_ends() throws IOException {
        try (BoundedArchive archive = open("abcdefg".getBytes(StandardCharsets.US_ASCII))) {
            assertThat(archive.skip(3)).isEqualTo(3);
            assertThat(archive.read()).isEqualTo('d');
            assertThat(archive.skip(0)).isZero();
            assertThat(archive.skip(9)).isEqualTo(3);
            assertThat(archive.read()).isEqualTo(-1);
            assertThat(archive.markSupported()).isFalse();
        }
    }

    @Test
    void an_archive_that_grows_without_end_is_not_skipped_through_either() throws IOException {
        byte[] packed = SampleImage.gzip(new byte[(int) UnpackLimits.DEFAULT.ratioGrace() + (1 << 20)]);
        try (BoundedArchive archive = open(packed)) {
            var refused = catchThrowableOfType(ImageException.class, () -> archive.skip(Long.MAX_VALUE));
            assertThat(refused).isNotNull();
            assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        }
    }
}
