package dev.caisson.cli.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.cli.build.OutputOption.Kind;
import dev.caisson.cli.caller.CommandException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutputOptionTest {
    @Test
    void a_path_is_a_directory_and_a_dash_an_archive() {
        assertThat(OutputOption.parse("out")).isEqualTo(new OutputOption(Kind.LOCAL, "out"));
        assertThat(OutputOption.parse("-")).isEqualTo(new OutputOption(Kind.TAR, "-"));
    }

    @Test
    void types_are_read_with_their_destination() {
        assertThat(OutputOption.parse("type=local,dest=a=b")).isEqualTo(new OutputOption(Kind.LOCAL, "a=b"));
        assertThat(OutputOption.parse("dest=x.tar,type=tar")).isEqualTo(new OutputOption(Kind.TAR, "x.tar"));
        assertThat(OutputOption.parse("type=oci")).isEqualTo(new OutputOption(Kind.OCI, "-"));
        assertThat(OutputOption.parse("type=docker,dest=-").isPrinted()).isTrue();
        assertThat(OutputOption.parse("type=image").isPrinted()).isFalse();
    }

    @Test
    void an_archive_of_docker_without_a_place_is_loaded_as_docker_would() {
        assertThat(OutputOption.parse("type=docker")).isEqualTo(new OutputOption(Kind.IMAGE, "-"));
        assertThat(OutputOption.parse("type=docker,dest=a")).isEqualTo(new OutputOption(Kind.DOCKER, "a"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "type=image,name=a | --output name=: name the image by -t",
                "type=image,push=true | --output push=: run 'caisson push' afterwards",
                "type=oci,compression=zstd | --output compression=: leave it out",
                "type=tar,tar | --output is a directory, -, or type=",
                "dest=a | --output has no type: add type=",
                "type=tar,dest=a,dest=b | --output has dest= twice",
            })
    void what_is_not_done_is_refused_by_its_name(String text, String sentence) {
        assertThatExceptionOfType(CommandException.class)
                .isThrownBy(() -> OutputOption.parse(text))
                .satisfies(e -> assertThat(e.sentence()).startsWith(sentence));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "type=local",
                "type=local,dest=-",
                "type=zip,dest=a",
                "type=registry",
                "type=image,dest=a",
                "dest=a",
                "type=tar,dest=a,dest=b",
                "type=tar,tar",
                "type=image,name=a",
                "a,b"
            })
    void what_means_nothing_is_refused(String text) {
        assertThatExceptionOfType(CommandException.class).isThrownBy(() -> OutputOption.parse(text));
    }
}
