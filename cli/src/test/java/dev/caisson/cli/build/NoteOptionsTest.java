package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.build.BuildNotes;
import dev.caisson.build.BuildNotes.Provenance;
import dev.caisson.cli.caller.CommandException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NoteOptionsTest {
    private static BuildNotes provenance(String text) {
        return NoteOptions.parse(text, List.of(), List.of());
    }

    @Test
    void provenance_is_off_short_or_long() {
        assertThat(provenance("false")).isEqualTo(BuildNotes.none());
        assertThat(provenance("true").provenance()).contains(new Provenance(false, "", false));
        assertThat(provenance("mode=max,builder-id=https://b,reproducible=true").provenance())
                .contains(new Provenance(true, "https://b", true));
        assertThat(NoteOptions.parse("false", List.of("type=provenance,mode=max"), List.of())
                        .provenance())
                .contains(new Provenance(true, "", false));
        assertThat(NoteOptions.parse("true", List.of("type=provenance,disabled=true"), List.of())
                        .provenance())
                .isEmpty();
    }

    @Test
    void annotations_go_to_the_manifest_or_the_index() {
        BuildNotes notes = NoteOptions.parse("true", List.of(), List.of("a=b=c", "manifest:d=e", "index:f=g"));
        assertThat(notes.manifest()).isEqualTo(Map.of("a", "b=c", "d", "e"));
        assertThat(notes.index()).isEqualTo(Map.of("f", "g"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "maybe | KEY=VALUE",
                "mode=most | mode=min or mode=max",
                "version=v0.2 | OPTION_REFUSED: --provenance version=v0.2",
                "filename=x | OPTION_REFUSED: --provenance with filename",
                "mode=min,mode=max | twice",
                "reproducible=yes | reproducible=true or reproducible=false"
            })
    void what_is_not_said_is_refused_by_name(String text, String said) {
        refused(said, text, List.of(), List.of());
    }

    @Test
    void other_statements_and_other_places_are_refused_by_name() {
        refused("--attest type=sbom", "false", List.of("type=sbom"), List.of());
        refused("has no type", "false", List.of("mode=max"), List.of());
        refused("--annotation index-descriptor:", "true", List.of(), List.of("index-descriptor:a=b"));
        refused("add --provenance=true", "false", List.of(), List.of("index:a=b"));
        refused("KEY=VALUE", "true", List.of(), List.of("a"));
    }

    private static void refused(String said, String provenance, List<String> attested, List<String> annotations) {
        assertThatExceptionOfType(CommandException.class)
                .isThrownBy(() -> NoteOptions.parse(provenance, attested, annotations))
                .satisfies(refused ->
                        assertThat(refused.code() + ": " + refused.sentence()).contains(said));
    }
}
