package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.DeviceRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The least and the most of what a plan and the reports on it are made of.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is made here
class PlanBoundsTest {
    @ParameterizedTest
    @CsvSource({"0,false", "7,false", "8,true", "9,false", "16,true", "32768,true", "32776,false"})
    void a_filter_is_1_to_4096_whole_instructions(int bytes, boolean taken) {
        if (taken) {
            var program = new FilterProgram(new byte[bytes], "one");
            assertThat(program.instructions()).isEqualTo(bytes / 8);
            assertThat(program).hasToString(bytes / 8 + " instructions");
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new FilterProgram(new byte[bytes], "none"))
                    .withMessage("not a filter program: " + bytes + " bytes");
        }
    }

    @ParameterizedTest
    @CsvSource({"0,0,true", "65535,65535,true", "-1,0,false", "0,-1,false", "65536,0,false", "0,65536,false"})
    void a_program_runs_as_one_of_the_containers_ids(int uid, int gid, boolean taken) {
        if (taken) {
            assertThat(new RootImage.ProgramUser(uid, gid, List.of(), "/").gid())
                    .isEqualTo(gid);
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new RootImage.ProgramUser(uid, gid, List.of(), "/"))
                    .withMessage("an id lies outside of the container's range");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1024,65535,true",
        "65535,1024,true",
        "1023,1024,false",
        "1024,1023,false",
        "65536,1024,false",
        "1024,65536,false"
    })
    void ports_of_a_resolver_are_unprivileged_ones(int udp, int tcp, boolean taken) {
        if (taken) {
            assertThat(new Step.Resolver(udp, tcp).tcpPort()).isEqualTo(tcp);
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new Step.Resolver(udp, tcp))
                    .withMessageContaining("no ports of a resolver");
        }
    }

    @Test
    void only_places_in_the_order_are_phases() {
        Phase[] all = Phase.values();
        for (Phase phase : all) {
            assertThat(Phase.ofNumber(phase.number())).contains(phase);
        }
        assertThat(Phase.ofNumber(0)).contains(all[0]);
        assertThat(Phase.ofNumber(-1)).isEmpty();
        assertThat(Phase.ofNumber(all.length)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Opcode.class)
    void every_opcode_is_found_by_its_number(Opcode opcode) {
        assertThat(Opcode.numbered(opcode.number())).isEqualTo(opcode);
    }

    @Test
    void a_number_without_an_opcode_is_told() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Opcode.numbered(0))
                .withMessage("no opcode has number 0");
    }

    private static byte[] report(int magic, int kind, int status) {
        return ByteBuffer.allocate(Report.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(magic)
                .putInt(kind)
                .putInt(0)
                .putInt(-1)
                .putInt(status)
                .array();
    }

    @Test
    void a_report_is_of_a_kind_that_there_is() {
        int most = Report.Kind.values().length;
        assertThat(IntStream.rangeClosed(1, most)
                        .mapToObj(kind ->
                                Report.decode(report(PlanCodec.MAGIC, kind, 0)).kind()))
                .containsExactly(Report.Kind.values());
        for (byte[] odd : List.of(
                report(PlanCodec.MAGIC, 0, 0),
                report(PlanCodec.MAGIC, most + 1, 0),
                report(PlanCodec.MAGIC + 1, 1, 0),
                new byte[Report.BYTES - 1],
                new byte[Report.BYTES + 1])) {
            assertThatThrownBy(() -> Report.decode(odd))
                    .isInstanceOfSatisfying(
                            HostException.class, e -> assertThat(e.code()).isEqualTo("INIT_PROTOCOL"));
        }
    }

    @ParameterizedTest
    @CsvSource({"0,0,0", "255,255,0", "256,0,0", "257,0,1", "265,0,9"})
    void an_end_is_a_code_or_a_signal(int status, int code, int signal) {
        Report report = Report.decode(report(PlanCodec.MAGIC, 5, status));
        assertThat(report.exitCode()).isEqualTo(code);
        assertThat(report.signal()).isEqualTo(signal);
    }

    // ---- devices

    @ParameterizedTest
    @CsvSource({"CHARACTER,1", "BLOCK,2"})
    void a_kind_of_device_has_a_number(DeviceRule.Kind kind, int number) {
        var node = new DeviceNode(kind, 10, 229);
        assertThat(node.wireKind()).isEqualTo(number);
        assertThat(DeviceNode.ofWire(number, 10, 229)).isEqualTo(node);
    }

    @Test
    void what_is_no_kind_of_device_is_told() {
        for (int number : new int[] {0, 3}) {
            assertThatIllegalArgumentException().isThrownBy(() -> DeviceNode.ofWire(number, 1, 3));
        }
    }

    private static FileStatus status(Path file) {
        try (Fd fd = FileSystem.open(file.toString(), FileSystem.O_PATH)) {
            return FileSystem.status(fd);
        }
    }

    @Test
    void a_file_that_is_no_device_has_no_numbers(@org.junit.jupiter.api.io.TempDir Path directory) throws Exception {
        assertThat(DeviceNode.of(status(Path.of("/dev/null"))))
                .contains(new DeviceNode(DeviceRule.Kind.CHARACTER, 1, 3));
        assertThat(DeviceNode.of(status(Files.createFile(directory.resolve("file")))))
                .isEmpty();
        assertThat(DeviceNode.of(status(directory))).isEmpty();
    }
}
