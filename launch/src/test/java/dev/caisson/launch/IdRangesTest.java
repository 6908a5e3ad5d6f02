package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who has which range of ids: this engine by its list, others by locks.
class IdRangesTest {
    @TempDir
    private Path path;

    private ScriptedZygote scripted;
    private Fd directory;
    private IdRanges ranges;
    /// As another engine has it open.
    private Fd others;

    @BeforeEach
    void open() {
        scripted = new ScriptedZygote();
        directory = FileSystem.open(path.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
        ranges = new IdRanges(directory);
        others = FileSystem.open(path.resolve("ranges").toString(), FileSystem.O_RDWR);
    }

    @AfterEach
    void close() {
        ranges.close();
        others.close();
        directory.close();
        scripted.close();
    }

    private IdRanges.Lease take(Fd userNamespace) {
        scripted.answer(userNamespace);
        return ranges.take(scripted.zygote);
    }

    private boolean isFree(IdRange range) {
        int index = (range.base() - IdRange.FIRST) / IdRange.WIDTH;
        if (!FileLocks.tryLockByte(others, index)) {
            return false;
        }
        FileLocks.unlockByte(others, index);
        return true;
    }

    private void takeAllBut(int index) {
        for (int i = 0; i < IdRange.RANGES; i++) {
            if (i != index) {
                assertThat(FileLocks.tryLockByte(others, i)).isTrue();
            }
        }
    }

    @Test
    void a_range_is_taken_among_all_engines_and_stays_this_ones_when_it_is_given_back() {
        Fd mapped = scripted.something();
        IdRanges.Lease first = take(mapped);
        IdRanges.Lease second = take(scripted.something());
        assertThat(OpenFiles.file(first.userNamespace())).isEqualTo(OpenFiles.file(mapped));
        assertThat(second.range()).isNotEqualTo(first.range());
        try (ScriptedZygote.Request asked = scripted.asked()) {
            assertThat(asked.bytes().getInt(8)).isEqualTo(first.range().base());
        }
        assertThat(isFree(first.range())).isFalse();

        ranges.giveBack(first);
        assertThat(isFree(first.range())).isFalse();
        ranges.giveBack(second);
        scripted.answer(scripted.something());
        assertThat(ranges.take(scripted.zygote)).as("the last is taken first").isSameAs(second);
        assertThat(ranges.take(scripted.zygote)).isSameAs(first);
        ranges.giveBack(first);
        second.userNamespace().close();

        ranges.close();
        assertThat(OpenFiles.count(OpenFiles.file(mapped))).isEqualTo(1);
        assertThat(isFree(first.range())).isTrue();
        assertThat(isFree(second.range())).isTrue();
    }

    @Test
    void a_range_is_asked_for_without_waiting_for_its_user_namespace() {
        Fd mapped = scripted.something();
        IdRanges.Asked asked = ranges.ask(scripted.zygote);
        assertThat(isFree(asked.range())).isFalse();
        try (ScriptedZygote.Request request = scripted.asked()) {
            assertThat(request.bytes().getInt(8)).isEqualTo(asked.range().base());
        }

        scripted.answer(mapped);
        try (Fd userNamespace = asked.userNamespace()) {
            asked.close();
            assertThat(OpenFiles.file(userNamespace)).isEqualTo(OpenFiles.file(mapped));
        }
        assertThat(isFree(asked.range())).isFalse();
    }

    @Test
    void a_user_namespace_that_nobody_took_is_closed() {
        Fd mapped = scripted.something();
        IdRanges.Asked asked = ranges.ask(scripted.zygote);
        scripted.answer(mapped);
        take(scripted.something()).userNamespace().close(); // who waits for this answer reads the one before it

        asked.close();

        assertThat(OpenFiles.count(OpenFiles.file(mapped))).isEqualTo(1);
    }

    @Test
    void whoever_has_a_copy_of_the_holder_has_the_ranges() {
        IdRanges.Lease lease = take(scripted.something());
        try (Fd _ = ranges.holder().duplicate()) {
            ranges.close();
            assertThat(isFree(lease.range())).isFalse();
        }
        assertThat(isFree(lease.range())).isTrue();
        lease.userNamespace().close();
    }

    @Test
    void the_one_range_that_is_left_is_found_wherever_the_search_begins_and_then_there_is_none() {
        for (int left : new int[] {0, IdRange.RANGES - 1}) {
            takeAllBut(left);
            IdRange range = new IdRange(IdRange.FIRST + left * IdRange.WIDTH, IdRange.WIDTH);
            for (int i = 0; i < 20; i++) {
                scripted.refuse(4, Errno.EPERM);
                assertThatThrownBy(() -> ranges.take(scripted.zygote))
                        .isInstanceOfSatisfying(
                                HostException.class, e -> assertThat(e.code()).isEqualTo("ZYGOTE_FAILED"));
                assertThat(isFree(range)).isTrue();
            }
            IdRanges.Lease last = take(scripted.something());
            assertThat(last.range()).isEqualTo(range);
            last.userNamespace().close();
            scripted.answer();
            assertThatThrownBy(() -> ranges.take(scripted.zygote))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo("RANGES_TAKEN"))
                    .hasMessageContaining("4094");
            close();
            open();
        }
    }

    @Test
    void a_search_goes_round_from_where_it_begins() {
        takeAllBut(7);
        FileLocks.unlockByte(others, 9);
        assertThat(ranges.lockFrom(7)).isEqualTo(7);
        assertThat(ranges.lockFrom(8)).isEqualTo(9);
        FileLocks.unlockByte(others, 3);
        assertThat(ranges.lockFrom(4)).isEqualTo(3);
        FileLocks.unlockByte(others, IdRange.RANGES - 1);
        assertThat(ranges.lockFrom(0)).isEqualTo(IdRange.RANGES - 1);
    }

    @Test
    void the_file_is_closed_to_others_and_no_link() throws IOException {
        Path file = path.resolve("ranges");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        Files.move(file, path.resolve("other"));
        Files.createSymbolicLink(file, Path.of("other"));
        assertThatThrownBy(() -> new IdRanges(directory)).hasMessageContaining("ELOOP");
    }
}
