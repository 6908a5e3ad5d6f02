package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A result is a value that other programs compare, make and write as JSON.
class RunResultTest {
    private static final JsonMapper JACKSON = JsonMapper.shared();

    @Test
    void results_with_the_same_contents_are_equal() {
        assertThat(result("a\n")).isEqualTo(result("a\n")).hasSameHashCodeAs(result("a\n"));
        assertThat(result("a\n")).isNotEqualTo(result("b\n"));
    }

    @Test
    void a_test_makes_its_own() {
        RunResult made = RunResult.of(Verdict.EXIT, 3).withOutput("out", "err");
        assertThat(made.isOk()).isFalse();
        assertThat(made.exitStatus()).isEqualTo(3);
        assertThat(made.stdout()).isEqualTo("out");
        assertThat(made.stderr()).isEqualTo("err");
    }

    @Test
    void what_is_kept_of_the_bytes_does_not_change() {
        byte[] bytes = {'a'};
        var captured = new RunResult.Captured(bytes);
        bytes[0] = 'b';
        captured.bytes()[0] = 'c';
        assertThat(captured.text()).isEqualTo("a");
    }

    @Test
    void jackson_writes_its_fields() {
        JsonNode json =
                JACKSON.readTree(JACKSON.writeValueAsString(result("hé\n").fields()));
        assertThat(json.get("verdict").asString()).isEqualTo("OUT_OF_MEMORY");
        assertThat(json.get("exitStatus").asInt()).isEqualTo(137);
        assertThat(json.get("stdout").asString()).isEqualTo("hé\n");
        assertThat(json.get("peakMemory").asLong()).isEqualTo(1 << 20);
        assertThat(json.get("userTimeNanos").asLong()).isEqualTo(2_000_000);
        assertThat(json.get("readBytes").asLong()).isEqualTo(4096);
        assertThat(json.has("writtenBytes")).as("a figure that is not known").isFalse();
        assertThat(json.get("denials").get(0).get("call").asString()).isEqualTo("mount(2)");
    }

    @Test
    void jackson_writes_the_record_itself() {
        JsonNode json = JACKSON.valueToTree(result("hé\n"));
        assertThat(json.get("verdict").asString()).isEqualTo("OUT_OF_MEMORY");
        assertThat(json.get("id").get("value").asString()).hasSize(64);
        assertThat(json.get("wallClock").asString()).isEqualTo("PT1S");
        assertThat(json.get("peakMemory").get("count").asLong()).isEqualTo(1 << 20);
        assertThat(json.get("output").get("bytes").binaryValue())
                .isEqualTo(new byte[] {'h', (byte) 0xc3, (byte) 0xa9, '\n'});
        assertThat(json.get("resources").get("peakPids").asLong()).isEqualTo(5);
        assertThat(json.get("ok").asBoolean()).isFalse();
    }

    private static RunResult result(String output) {
        return new RunResult(
                new ContainerId("ab".repeat(32)),
                Verdict.OUT_OF_MEMORY,
                0,
                9,
                RunResult.Captured.of(output),
                RunResult.Captured.of(""),
                Duration.ofSeconds(1),
                Duration.ofMillis(3),
                Bytes.mebibytes(1),
                1,
                0,
                List.of(new Denial("mount(2)", "ERRNO(EPERM)", "sh", "/bin/sh", "", List.of(), 1)),
                List.of(new DeniedDestination("api.example", "192.0.2.7", 443, "tcp", "it is not on its list")),
                Optional.empty(),
                List.of(),
                List.of(Obstacle.SET_ID_WITHOUT_EFFECT),
                new SetIdPrograms(List.of("/usr/bin/su"), "some"),
                new RunResult.Resources(
                        Duration.ofMillis(2),
                        Duration.ofMillis(1),
                        OptionalLong.of(5),
                        OptionalLong.of(4096),
                        OptionalLong.empty()));
    }
}
