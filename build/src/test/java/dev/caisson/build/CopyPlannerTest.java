package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.build.Operation.Copy;
import dev.caisson.build.Operation.Origin;
import dev.caisson.build.Operation.Source;
import dev.caisson.build.Operation.Unpacking;
import dev.caisson.error.CaissonException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CopyPlannerTest {
    private static String code(String... lines) {
        var all = new ArrayList<>(List.of("FROM scratch"));
        all.addAll(List.of(lines));
        try {
            Plans.steps(all.toArray(String[]::new));
            return "none";
        } catch (CaissonException e) {
            return e.code();
        }
    }

    private static List<String> patterns(Copy copy) {
        return copy.sources().stream()
                .map(source -> ((Source.Pattern) source).path())
                .toList();
    }

    @Test
    void sources_and_destination_are_read_in_both_forms() {
        Copy copy = Plans.copy("FROM scratch", "WORKDIR /w", "ARG D=dir", "COPY a \"b c\" $D*/x to/");
        assertThat(patterns(copy)).containsExactly("a", "b c", "dir*/x");
        assertThat(copy.target()).isEqualTo("/w/to/");
        Copy json = Plans.copy("FROM scratch", "ARG D=dir", "COPY [\"a b\", \"$D\", \"/to/\"]");
        assertThat(patterns(json)).containsExactly("a b", "dir");
        assertThat(json.target()).isEqualTo("/to/");
    }

    @ParameterizedTest
    @CsvSource({"., /w/", "./, /w/", "/, /", "/a, /a", "/a/, /a/", "a/., /w/a/", "../b, /b", "../../.., /", "./x, /w/x"
    })
    void the_destination_keeps_whether_it_is_a_directory(String written, String target) {
        assertThat(Plans.copy("FROM scratch", "WORKDIR /w", "COPY a " + written).target())
                .isEqualTo(target);
    }

    @Test
    void options_are_read() {
        Copy copy = Plans.copy(
                "FROM scratch AS tools",
                "FROM scratch",
                "ARG U=app",
                "COPY --from=tools --chown=$U:7 --chmod=0750 --link --parents --exclude=*.o --exclude=t/** a /b");
        assertThat(copy.origin()).isEqualTo(new Origin.Stage(0));
        assertThat(copy.owner()).isEqualTo("app:7");
        assertThat(copy.mode()).isEqualTo(ModeChange.parse("750"));
        assertThat(copy.parents()).isTrue();
        assertThat(copy.excludes()).containsExactly("*.o", "t/**");
        assertThat(copy.unpack()).isEqualTo(Unpacking.NONE);
    }

    @Test
    void from_takes_a_stage_by_number_or_name_in_any_case_or_an_image() {
        assertThat(Plans.copy("FROM scratch AS One", "FROM scratch", "COPY --from=ONE a b")
                        .origin())
                .isEqualTo(new Origin.Stage(0));
        assertThat(Plans.copy("FROM scratch", "FROM scratch", "COPY --from=0 a b")
                        .origin())
                .isEqualTo(new Origin.Stage(0));
        assertThat(Plans.copy("FROM scratch", "COPY --from=debian:13 a b").origin())
                .isInstanceOfSatisfying(
                        Origin.Image.class, image -> assertThat(image.name()).isEqualTo("debian:13"));
    }

    @Test
    void a_here_document_is_a_file_whose_variables_are_replaced_and_whose_quotes_stay() {
        Copy copy = Plans.copy(
                "FROM scratch", "ENV A=1", "COPY <<a.conf <<'b' /etc/", "x=\"$A\" '${A}'", "a.conf", "$A", "b");
        assertThat(copy.sources())
                .containsExactly(new Source.Inline("a.conf", "x=\"1\" '1'\n"), new Source.Inline("b", "$A\n"));
    }

    @Test
    void add_unpacks_and_fetches_and_copy_does_neither() {
        Copy add = Plans.copy("FROM scratch", "ADD https://example.org/a.tgz /x/");
        assertThat(add.sources().getFirst()).isInstanceOf(Source.Address.class);
        assertThat(add.unpack()).isEqualTo(Unpacking.FILES);
        assertThat(Plans.copy("FROM scratch", "ADD --unpack=false a.tgz /x/").unpack())
                .isEqualTo(Unpacking.NONE);
        Copy copy = Plans.copy("FROM scratch", "COPY https://example.org/a /x/");
        assertThat(copy.sources().getFirst()).isInstanceOf(Source.Pattern.class);
        String sum = "sha256:" + "a".repeat(64);
        assertThat(Plans.copy("FROM scratch", "ADD --checksum=" + sum + " https://example.org/a /x")
                        .checksum())
                .isEqualTo(Optional.of(sum));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "COPY a | BUILD_COPY_ARGUMENTS",
                "COPY a b c | BUILD_COPY_ARGUMENTS",
                "COPY $NOTHING b | BUILD_COPY_ARGUMENTS",
                "COPY --chmod=u+q a b | BUILD_MODE",
                "COPY --chmod= a b | BUILD_MODE",
                "COPY --chmod=u a b | BUILD_MODE",
                "COPY --chmod=u+x, a b | BUILD_MODE",
                "COPY --chmod=u+xg-w a b | BUILD_MODE",
                "COPY --chmod=u=rg a b | BUILD_MODE",
                "COPY --chmod=+x,0755 a b | BUILD_MODE",
                "COPY --chmod=77777 a b | BUILD_MODE",
                "COPY --from= a b | BUILD_COPY_FROM",
                "COPY --from=$X a b | BUILD_COPY_FROM",
                "COPY --checksum=x a b | BUILD_FLAG",
                "ADD --from=x a b | BUILD_FLAG",
                "COPY --link=maybe a b | BUILD_FLAG",
                "COPY --link --link a b | BUILD_FLAG",
                "ADD --checksum=sha256:1 https://x/a b | BUILD_CHECKSUM",
                "ADD --checksum=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa a b | BUILD_CHECKSUM",
                "ADD git@github.com:x/y.git /z | BUILD_ADD_GIT",
                "ADD https://github.com/x/y.git#v1 /z | BUILD_ADD_GIT",
                "COPY <<EOF /x | CF-205"
            })
    void what_no_copy_can_have_is_refused(String line, String code) {
        assertThat(code(line)).isEqualTo(code);
    }
}
