package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.ImageException.Code;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Members of an image's archive: their names, and links that lead to other members.
class ArchiveNamesTest {
    private static final int MOST = 12;

    private final ArchiveNames<String> names = new ArchiveNames<>("the archive", MOST);

    private void add(TarBuilder archive) throws IOException {
        var reader = new TarReader(new ByteArrayInputStream(archive.build()), UnpackLimits.DEFAULT);
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            if (names.accepts(next.get())) {
                names.add(next.get(), "of " + next.get().name());
            }
        }
    }

    private void assertBad(String part, TarBuilder archive) {
        assertThatThrownBy(() -> add(archive))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.BAD_MANIFEST))
                .hasMessageContaining("the archive")
                .hasMessageContaining(part);
    }

    @ParameterizedTest
    @CsvSource({
        "a/b, a/b",
        "./a//b/, a/b",
        "/a/./b, a/b",
        "../a, a",
        "a/../b, b",
        "a/../../b, b",
        "'', ''",
        "., ''",
        "a/b/.., a"
    })
    void a_name_leads_nowhere_above(String name, String normalized) {
        assertThat(ArchiveNames.normalized(name)).isEqualTo(normalized);
    }

    @Test
    void a_member_is_found_by_its_name_and_behind_links() throws IOException {
        add(new TarBuilder()
                .directory("d/")
                .file("d/f", "x")
                .symbolicLink("d/s", "f")
                .symbolicLink("e/s", "../d/s")
                .hardLink("e/h", "d/f"));
        assertThat(names.has("d/f")).isTrue();
        assertThat(names.has("d/s")).isFalse();
        assertThat(names.find("d/f")).contains("of d/f");
        assertThat(names.find("d/s")).isEmpty();
        for (String name : new String[] {"d/f", "d/s", "e/s", "e/h"}) {
            assertThat(names.get(name)).isEqualTo("of d/f");
        }
        assertThatThrownBy(() -> names.get("d")).hasMessageContaining("which is not in it");
    }

    @Test
    void eight_links_are_followed_and_no_more() throws IOException {
        var archive = new TarBuilder().file("0", "x");
        for (int i = 1; i <= 9; i++) {
            archive.symbolicLink(Integer.toString(i), Integer.toString(i - 1));
        }
        add(archive);
        assertThat(names.get("8")).isEqualTo("of 0");
        assertThatThrownBy(() -> names.get("9")).hasMessageContaining("links from \"9\" on that do not end");
    }

    @Test
    void a_name_is_there_once() {
        assertBad("\"a\" twice", new TarBuilder().file("a", "x").file("./a", "y"));
        assertBad("\"b\" twice", new TarBuilder().file("b", "x").symbolicLink("b", "c"));
        assertBad("\"c\" twice", new TarBuilder().symbolicLink("c", "d").file("c", "y"));
        assertBad("\"e\" twice", new TarBuilder().symbolicLink("e", "d").hardLink("e", "f"));
    }

    @Test
    void links_count_among_its_members_and_directories_do_not() throws IOException {
        var archive = new TarBuilder();
        for (int i = 0; i < MOST; i++) {
            archive.directory("d" + i + "/");
            if (i % 2 == 0) {
                archive.file("f" + i, "x");
            } else {
                archive.symbolicLink("f" + i, "f0");
            }
        }
        add(archive);
        assertThatThrownBy(() -> add(new TarBuilder().file("more", "x")))
                .isInstanceOfSatisfying(
                        ImageException.class, e -> assertThat(e.reason()).isEqualTo(Code.TOO_LARGE))
                .hasMessageContaining("more than 12 members");
    }

    @Test
    void what_is_no_file_or_link_is_refused() {
        assertBad("the special file \"p\"", new TarBuilder().member('6', "p", "", new byte[0]));
        assertBad("the special file \"c\"", new TarBuilder().member('3', "c", "", new byte[0]));
        assertBad("the special file \"b\"", new TarBuilder().member('4', "b", "", new byte[0]));
        assertBad(
                "the sparse member \"hole\"",
                new TarBuilder()
                        .pax("GNU.sparse.major", "0")
                        .pax("GNU.sparse.minor", "1")
                        .pax("GNU.sparse.size", "9")
                        .pax("GNU.sparse.numblocks", "2")
                        .pax("GNU.sparse.map", "0,1,8,1")
                        .file("hole", "xy"));
        assertBad("the sparse member \"all\"", new TarBuilder().raw(hole("all")));
    }

    /// A file of 9 bytes in GNU's first form, of which nothing is stored.
    private static byte[] hole(String name) {
        byte[] header = new TarBuilder().header('S', name, "", 0).withoutEnd();
        byte[] size = "00000000011".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(size, 0, header, 483, size.length);
        return TarBuilder.sealed(header);
    }
}
