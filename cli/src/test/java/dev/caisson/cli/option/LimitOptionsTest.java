package dev.caisson.cli.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.cli.Main;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.Terminal;
import dev.caisson.spec.BlockDevice;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.CpuQuota;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.IoLimit;
import dev.caisson.spec.IoWeight;
import dev.caisson.spec.LimitException;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Placement;
import dev.caisson.spec.WritableLayer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Docker's words for limits, translated.
class LimitOptionsTest {
    private static ContainerSpec spec(String... options) {
        CommandSpec run = CommandSpec.create();
        var wish = new RunOptions(run);
        new CommandLine(run)
                .parseArgs(Stream.concat(Arrays.stream(options), Stream.of("host", "true"))
                        .toArray(String[]::new));
        return wish.spec();
    }

    @Test
    void every_limit_reaches_the_spec() {
        Limits limits = spec(
                        "-m",
                        "64m",
                        "--memory-swap",
                        "96m",
                        "--memory-reservation",
                        "32m",
                        "--memory-swappiness",
                        "30",
                        "--oom-kill-disable",
                        "--cpu-quota",
                        "20000",
                        "--cpu-period",
                        "40000",
                        "-c",
                        "512",
                        "--cpuset-cpus",
                        "0-1",
                        "--cpuset-mems",
                        "0",
                        "--pids-limit",
                        "40",
                        "--blkio-weight",
                        "300",
                        "--hugetlb",
                        "2MB=4m",
                        "--best-effort")
                .limits();

        assertThat(limits)
                .isEqualTo(Limits.defaults()
                        .memory(Bytes.mebibytes(64))
                        .memorySwap(Bytes.mebibytes(96))
                        .memoryReservation(Bytes.mebibytes(32))
                        .memorySwappiness(30)
                        .oomKillDisable(true)
                        .cpus(new CpuQuota(20_000, 40_000))
                        .cpuShares(512)
                        .cpuset(CpuList.parse("0,1"))
                        .memoryNodes(CpuList.parse("0"))
                        .pids(40)
                        .ioWeight(300)
                        .hugePages(Map.of("2MB", Bytes.mebibytes(4)))
                        .bestEffort(true));
    }

    @Test
    void device_rules_reach_the_spec_beside_what_every_container_has() {
        assertThat(spec("--device-cgroup-rule", "c 1:11 r", "--device-cgroup-rule", "a 10:200 w")
                        .limits()
                        .devices()
                        .orElseThrow())
                .map(DeviceRule::toString)
                .contains("c 1:11 r", "c 10:200 w", "b 10:200 w", "c 1:3 rwm")
                .hasSize(DeviceRule.STANDARD.size() + 3);
    }

    /// The kernel's loop devices are disks that every machine has.
    @Test
    void the_weight_of_a_disk_reaches_the_spec() {
        Path disk = Path.of("/dev/loop0");
        assumeTrue(Files.exists(disk), "this machine has no loop devices");

        assertThat(spec(
                                "--blkio-weight-device",
                                disk + ":300",
                                "--blkio-weight-device",
                                disk + ":400",
                                "--device-read-bps",
                                disk + ":1m")
                        .limits())
                .isEqualTo(Limits.defaults()
                        .ioWeights(List.of(new IoWeight(new BlockDevice(7, 0), 400)))
                        .io(List.of(IoLimit.on(new BlockDevice(7, 0)).readBytes(1 << 20))));
        for (String bad : List.of("--blkio-weight-device", "--device-write-iops")) {
            assertThatThrownBy(() -> spec(bad, disk + ":many"))
                    .isInstanceOfSatisfying(
                            CommandException.class, e -> assertThat(e.code()).isEqualTo("USAGE"));
        }
        assertThatThrownBy(() -> spec("--blkio-weight-device", disk + ":5"))
                .isInstanceOfSatisfying(
                        LimitException.class,
                        e -> assertThat(e.reason()).isEqualTo(LimitException.Code.IO_OUT_OF_RANGE));
    }

    @Test
    void nothing_said_is_the_default() {
        assertThat(spec().limits()).isEqualTo(Limits.defaults());
        assertThat(spec("--memory-swappiness", "-1", "--cpu-quota", "-1").limits())
                .isEqualTo(Limits.defaults());
        assertThat(spec("-m", "-1", "--memory-swap", "-1", "--pids-limit", "-1").limits())
                .isEqualTo(Limits.unlimited());
        assertThat(spec().placement()).isEqualTo(new Placement.Standard());
        assertThat(spec().writableLayer()).isEqualTo(WritableLayer.STANDARD);
    }

    @Test
    void place_and_writable_layer_reach_the_spec() {
        assertThat(spec("--storage-opt", "size=8m", "--storage-opt", "inodes=99")
                        .writableLayer())
                .isEqualTo(WritableLayer.STANDARD.size(Bytes.mebibytes(8)).inodes(99));
        assertThat(spec("--cgroup-parent", "/jobs/night").placement()).isEqualTo(new Placement.Parent("jobs/night"));
        assertThat(spec("--tenant", "a").placement()).isEqualTo(new Placement.Tenant("a", Optional.empty()));
        assertThat(spec("--tenant", "a,memory=2g,cpus=1.5,pids=100").placement())
                .isEqualTo(new Placement.Tenant(
                        "a",
                        Optional.of(Limits.unlimited()
                                .memory(Bytes.gibibytes(2))
                                .memorySwap(Bytes.gibibytes(2))
                                .cpus("1.5")
                                .pids(100))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--cpus 1 --cpu-quota 5000        | OPTION_REFUSED",
                "--cpu-period 5000                | OPTION_REFUSED",
                "--storage-opt quota=5            | OPTION_REFUSED",
                "--storage-opt inodes=many        | USAGE",
                "--tenant a,disk=5g               | OPTION_REFUSED",
                "--tenant a --cgroup-parent /jobs | OPTION_REFUSED",
                "--device-read-bps sda:1m         | USAGE",
                "--blkio-weight-device sda:300    | USAGE",
                "--ulimit nofile                  | USAGE",
                "--ulimit frogs=5                 | USAGE",
            })
    void what_contradicts_itself_is_refused(String options, String code) {
        assertThatThrownBy(() -> spec(options.split(" ", -1)))
                .isInstanceOfSatisfying(
                        CommandException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-m 64x",
                "-m 1m",
                "--cpuset-cpus 3-1",
                "--memory-swappiness 101",
                "--blkio-weight 5",
                "--hugetlb 2=4m",
                "--pids-limit 0",
                "--device-write-iops /dev/null:5",
                "--blkio-weight-device /dev/null:300",
                "--device-cgroup-rule 1:3",
            })
    void what_no_kernel_takes_is_refused(String options) {
        assertThatThrownBy(() -> spec(options.split(" ", -1))).isInstanceOf(LimitException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--cpu-rt-runtime", "--kernel-memory", "--gpus"})
    void what_is_never_given_is_refused_by_name(String option) {
        var err = new StringWriter();

        int status = Main.execute(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err, true),
                Terminal.NONE,
                "run",
                option,
                "5",
                "host");

        assertThat(status).isEqualTo(125);
        assertThat(err.toString()).startsWith("caisson: OPTION_REFUSED: " + option + ": ");
    }
}
