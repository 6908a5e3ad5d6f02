package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.image.ImageException.Code;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Parts of a file: nothing before, nothing behind.
class FileSliceTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    @SuppressWarnings("NullAway.Init") // set before each test
    private FileChannel channel;

    @BeforeEach
    void open() throws IOException {
        Path file = temporary.resolve("file");
        Files.write(file, new byte[] {'a', 'b', 'c', 'd', 'e', (byte) 0xff, 'g'});
        channel = FileChannel.open(file);
    }

    @AfterEach
    void close() throws IOException {
        channel.close();
    }

    @Test
    void a_part_is_read_to_its_end_and_no_further() throws IOException {
        FileSlice part = FileSlice.part(channel, 2, 4);
        assertThat(part.size()).isEqualTo(4);
        assertThat(part.done()).isZero();
        assertThat(part.available()).isEqualTo(4);
        assertThat(part.read()).isEqualTo('c');
        byte[] bytes = new byte[6];
        assertThat(part.read(bytes, 0, 0)).isZero();
        assertThat(part.read(bytes, 1, 2)).isEqualTo(2);
        assertThat(bytes).containsExactly(0, 'd', 'e', 0, 0, 0);
        assertThat(part.done()).isEqualTo(3);
        assertThat(part.available()).isOne();
        assertThat(part.read()).isEqualTo(0xff);
        assertThat(part.read()).isEqualTo(-1);
        assertThat(part.read(bytes, 0, 6)).isEqualTo(-1);
        assertThat(part.read(bytes, 0, 0)).isZero();
        assertThat(part.done()).isEqualTo(4);
        assertThat(part.available()).isZero();
    }

    @Test
    void parts_of_one_file_do_not_disturb_each_other() throws IOException {
        FileSlice one = FileSlice.part(channel, 0, 2);
        FileSlice two = FileSlice.part(channel, 3, 2);
        assertThat(one.read()).isEqualTo('a');
        assertThat(two.readAllBytes()).containsExactly('d', 'e');
        assertThat(one.readAllBytes()).containsExactly('b');
    }

    @Test
    void a_part_leaves_the_file_open_and_a_whole_one_closes_it() throws IOException {
        FileSlice.part(channel, 0, 1).close();
        assertThat(channel.isOpen()).isTrue();
        try (FileSlice whole = FileSlice.whole(channel, 7)) {
            assertThat(whole.readAllBytes()).hasSize(7).startsWith('a', 'b');
        }
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void a_file_that_became_shorter_is_told() {
        FileSlice part = FileSlice.part(channel, 2, 6);
        assertThatThrownBy(part::readAllBytes)
                .isInstanceOf(EOFException.class)
                .hasMessage("the file became shorter while it was read");
    }

    @Test
    void what_is_left_of_a_large_one_is_the_most_that_can_be_told() {
        assertThat(FileSlice.part(channel, 0, 1L << 40).available()).isEqualTo(Integer.MAX_VALUE);
        assertThat(FileSlice.part(channel, 0, Integer.MAX_VALUE - 1L).available())
                .isEqualTo(Integer.MAX_VALUE - 1);
    }

    @Test
    void a_document_has_at_most_as_many_bytes_as_are_read() throws IOException {
        assertThat(FileSlice.part(channel, 1, 3).readDocument("the index", 3)).containsExactly('b', 'c', 'd');
        var refused = catchThrowableOfType(
                ImageException.class, () -> FileSlice.part(channel, 1, 4).readDocument("the index", 3));
        assertThat(refused.reason()).isEqualTo(Code.TOO_LARGE);
        assertThat(refused.sentence()).isEqualTo("the index of the image has 4 bytes; at most 3 are read");
    }
}
