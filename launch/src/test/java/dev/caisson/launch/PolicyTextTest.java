package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.ByteText;
import dev.caisson.spec.ContainerSpec;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Texts that the kernel takes as bytes, and texts that people read.
class PolicyTextTest {
    private static final String BYTES = ByteText.of(new byte[] {'a', (byte) 0xff});

    record Text(String what, String message, UnaryOperator<ContainerSpec> change) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static List<Finding> findings(UnaryOperator<ContainerSpec> change) {
        return Samples.check(change.apply(Samples.spec()), Samples.host());
    }

    static Stream<Text> refused() {
        String readable = "are UTF-8";
        return Stream.of(
                new Text("a label's name", readable, spec -> spec.label(BYTES, "b")),
                new Text("a label's value", readable, spec -> spec.label("a", BYTES)),
                new Text("a group", readable, spec -> spec.addGroup(BYTES)),
                new Text("a user", readable, spec -> spec.user(BYTES)),
                new Text("half a pair", "surrogate pair", spec -> spec.command("a", "\ud83d")),
                new Text("half a pair in a variable", "surrogate pair", spec -> spec.environment("A", "\ud83d")),
                new Text("half a pair in an entry point", "surrogate pair", spec -> spec.entrypoint(List.of("\ud83d"))),
                new Text("a NUL at the start", "NUL character", spec -> spec.command("a", "\0b")));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void a_text_that_its_reader_cannot_take_is_refused(Text text) {
        assertThat(findings(text.change())).singleElement().satisfies(finding -> {
            assertThat(finding.code()).isEqualTo("TEXT_INVALID");
            assertThat(finding.sentence()).contains(text.message());
        });
    }

    @Test
    void bytes_reach_the_program() {
        assertThat(findings(spec -> spec.command("a", BYTES).environment("A", BYTES)))
                .isEmpty();
    }
}
