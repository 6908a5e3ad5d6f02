package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.caisson.image.TarEntry.Kind;
import dev.caisson.image.TarWriter.Attributes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// An archive that is written is read again, by our reader and by the system's tar.
class TarWriterTests {
    private static final Attributes USUAL = new Attributes(0640, 7, 9, Instant.ofEpochSecond(1_000_000_000));

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final TarWriter writer = new TarWriter(out);

    private record Read(TarEntry entry, String content) {}

    private List<Read> read() throws IOException {
        writer.finish();
        var reader = new TarReader(new ByteArrayInputStream(out.toByteArray()), UnpackLimits.DEFAULT);
        var found = new ArrayList<Read>();
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            var content = new ByteArrayOutputStream();
            reader.content((piece, length, at) -> content.write(piece, 0, length));
            found.add(new Read(next.orElseThrow(), content.toString(StandardCharsets.UTF_8)));
        }
        return found;
    }

    private TarEntry only() throws IOException {
        List<Read> all = read();
        assertThat(all).hasSize(1);
        return all.getFirst().entry();
    }

    private void file(String name, String content) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        writer.file(name, bytes.length, USUAL);
        writer.content(bytes, bytes.length);
    }

    private String header(int at, int length) {
        return new String(out.toByteArray(), at, length, StandardCharsets.ISO_8859_1);
    }

    @Test
    void each_kind_is_read_again() throws IOException {
        writer.directory("d", USUAL);
        file("d/f", "content");
        writer.symbolicLink("d/l", "../t", USUAL);
        writer.hardLink("d/h", "d/f", USUAL);
        writer.pipe("d/p", USUAL);

        List<Read> all = read();

        assertThat(all)
                .extracting(each -> each.entry().kind(), each -> each.entry().name(), Read::content)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(Kind.DIRECTORY, "d/", ""),
                        org.assertj.core.groups.Tuple.tuple(Kind.FILE, "d/f", "content"),
                        org.assertj.core.groups.Tuple.tuple(Kind.SYMBOLIC_LINK, "d/l", ""),
                        org.assertj.core.groups.Tuple.tuple(Kind.HARD_LINK, "d/h", ""),
                        org.assertj.core.groups.Tuple.tuple(Kind.FIFO, "d/p", ""));
        assertThat(all.get(2).entry().linkTarget()).isEqualTo("../t");
        assertThat(all.get(3).entry().linkTarget()).isEqualTo("d/f");
        assertThat(all).extracting(Read::entry).allSatisfy(entry -> {
            assertThat(entry.mode()).isEqualTo(0640);
            assertThat(entry.uid()).isEqualTo(7);
            assertThat(entry.gid()).isEqualTo(9);
        });
    }

    /// Each field stands where POSIX has it, because other programs read it too.
    @Test
    void fields_are_where_posix_has_them() throws IOException {
        writer.hardLink("n\u0150me", "target", USUAL);
        writer.finish();

        assertThat(out.size()).isEqualTo(3 * 512);
        assertThat(header(0, 6)).isEqualTo("n\u00c5\u0090me\0");
        assertThat(header(100, 48))
                .isEqualTo("0000640\0" + "0000007\0" + "0000011\0" + "00000000000\0" + "07346545000\0");
        assertThat(header(156, 1)).isEqualTo("1");
        assertThat(header(157, 7)).isEqualTo("target\0");
        assertThat(header(257, 8)).isEqualTo("ustar\00000");
        byte[] block = Arrays.copyOf(out.toByteArray(), 512);
        Arrays.fill(block, 148, 156, (byte) ' ');
        int sum = 0;
        for (byte each : block) {
            sum += each & 0xff;
        }
        assertThat(header(148, 8)).isEqualTo(String.format("%06o\0 ", sum));
        assertThat(Arrays.copyOfRange(out.toByteArray(), 512, 3 * 512)).containsOnly(0);
    }

    /// Programs that do not know it unpack it as a file.
    @Test
    void an_extended_header_belongs_to_root_and_has_no_time() throws IOException {
        file("n".repeat(200), "x");
        assertThat(header(0, 4)).isEqualTo("pax\0");
        assertThat(header(100, 24)).isEqualTo("0000644\0" + "0000000\0" + "0000000\0");
        assertThat(header(136, 12)).isEqualTo("00000000000\0");
        assertThat(header(156, 1)).isEqualTo("x");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 511, 512, 513, 1024})
    void content_of_any_size_fills_its_blocks(int size) throws IOException {
        file("a", "x".repeat(size));
        file("b", "y");

        assertThat(read()).extracting(Read::content).containsExactly("x".repeat(size), "y");
        assertThat(out.size() % 512).isZero();
    }

    /// Both sides of every length at which a record counts one digit more, and of what a field holds.
    @ParameterizedTest
    @ValueSource(
            ints = {1, 86, 87, 88, 89, 90, 91, 92, 93, 94, 99, 100, 101, 102, 500, 980, 986, 990, 991, 992, 1000, 4000})
    void names_and_targets_of_any_length_are_kept(int length) throws IOException {
        String name = "n".repeat(Math.min(length, 200)) + "/n".repeat(Math.max(0, length - 200) / 2);
        writer.symbolicLink(name, "t".repeat(length), USUAL);
        file("next", "x");

        List<Read> all = read();

        assertThat(all).hasSize(2);
        assertThat(all.getFirst().entry().name()).isEqualTo(name);
        assertThat(all.getFirst().entry().linkTarget()).isEqualTo("t".repeat(length));
        assertThat(all.getLast().entry().name()).isEqualTo("next");
    }

    @Test
    void what_fits_has_no_extended_header() throws IOException {
        int largestId = 07777777;
        Instant latest = Instant.ofEpochSecond((1L << 33) - 1);
        writer.symbolicLink("n".repeat(100), "t".repeat(100), new Attributes(0640, largestId, largestId, latest));
        writer.file("f", (1L << 33) - 1, USUAL);

        assertThat(header(156, 1)).isEqualTo("2");
        assertThat(header(512, 2)).isEqualTo("f\0");
        assertThat(out.size()).isEqualTo(2 * 512);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 0777777, 07777777, 010000000, 1L << 22, Integer.MAX_VALUE, 1L << 31, (1L << 32) - 2})
    void an_owner_is_the_same_whatever_its_number(long id) throws IOException {
        writer.directory("d", new Attributes(0755, (int) id, 5, Instant.EPOCH));
        writer.directory("e", new Attributes(0755, 5, (int) id, Instant.EPOCH));

        List<Read> all = read();

        assertThat(all.getFirst().entry().uid()).isEqualTo(id);
        assertThat(all.getFirst().entry().gid()).isEqualTo(5);
        assertThat(all.getLast().entry().gid()).isEqualTo(id);
        assertThat(all.getLast().entry().uid()).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(longs = {-1_000_000, -1, 0, 1, (1L << 33) - 1, 1L << 33, 1L << 35})
    void a_time_is_the_same_whatever_the_year(long seconds) throws IOException {
        writer.directory("d", new Attributes(0755, 0, 0, Instant.ofEpochSecond(seconds, 999)));

        assertThat(only().modifiedSeconds()).isEqualTo(seconds);
    }

    /// Only the header of so large a file is read.
    @ParameterizedTest
    @ValueSource(longs = {(1L << 33) - 1, 1L << 33, 1L << 40})
    void a_size_that_no_field_holds_is_in_the_extended_header(long size) throws IOException {
        writer.file("f", size, USUAL);

        var reader = new TarReader(new ByteArrayInputStream(out.toByteArray()), UnpackLimits.DEFAULT);

        assertThat(reader.next().orElseThrow().size()).isEqualTo(size);
    }

    @Test
    void content_that_is_more_or_less_than_was_said_is_refused() throws IOException {
        writer.file("f", 3, USUAL);
        writer.content(new byte[9], 2);
        assertThatIllegalStateException().isThrownBy(() -> writer.content(new byte[9], 2));
        assertThatIllegalStateException().isThrownBy(writer::finish);
        assertThatIllegalStateException().isThrownBy(() -> writer.directory("d", USUAL));
        writer.content(new byte[9], 1);
        assertThat(only().size()).isEqualTo(3);
    }

    @Test
    void what_was_written_is_passed_on_at_the_end() throws IOException {
        var flushed = new ByteArrayOutputStream();
        var buffered = new java.io.BufferedOutputStream(flushed, 1 << 20);
        new TarWriter(buffered).finish();
        assertThat(flushed.size()).isEqualTo(1024);
    }

    @Test
    void the_system_s_tar_reads_it(@TempDir Path temporary) throws Exception {
        writer.directory("d", USUAL);
        file("d/" + "n".repeat(150), "content");
        writer.symbolicLink("d/l", "../" + "t".repeat(120), USUAL);
        writer.file("d/large-id", 0, new Attributes(0600, 1 << 22, 3_000_000, Instant.ofEpochSecond(-5)));
        writer.finish();
        Path archive = Files.write(temporary.resolve("a.tar"), out.toByteArray());

        Process tar = new ProcessBuilder("tar", "--numeric-owner", "-tvf", archive.toString())
                .redirectErrorStream(true)
                .start();
        String listed = new String(tar.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(tar.waitFor()).as(listed).isZero();
        assertThat(listed)
                .contains("drw-r----- 7/9", "d/" + "n".repeat(150), "-> ../" + "t".repeat(120), "4194304/3000000");
    }
}
