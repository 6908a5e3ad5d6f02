package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.audit.Finding;
import dev.caisson.audit.Severity;
import dev.caisson.audit.Status;
import dev.caisson.hostaudit.facts.ContainerFacts.Mount;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.FactsJson;
import dev.caisson.hostaudit.facts.HostDirectories;
import dev.caisson.hostaudit.kernel.MountTable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Mounts of containers against a host's table of mounts: as many that real software has and nobody needs to fear as
/// ones that give the host away.
class MountCasesTest {
    private static final String ID = "6287edfab2a82c28cea0e1644fe07aedc07e444cb1853f68b4efba5e629315bd";
    private static final String OTHER = "0".repeat(64);
    private static final List<String> MARKS = HostDirectories.marks(List.of("/var/lib/docker"));

    /// An ordinary host, with bind mounts that show a directory twice: one of /etc, and one of a harmless directory
    /// below /run. The root of a disk with subvolumes is mounted elsewhere too.
    private static final String HOST = """
            20 1 254:0 / / rw - ext4 /dev/vda rw
            21 20 0:5 / /dev rw - devtmpfs udev rw
            22 20 0:20 / /proc rw - proc proc rw
            23 20 0:21 / /sys rw - sysfs sysfs rw
            24 23 0:22 / /sys/fs/cgroup ro - tmpfs tmpfs ro
            25 24 0:23 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            26 20 0:24 / /run rw - tmpfs tmpfs rw
            27 26 0:25 / /run/lock rw - tmpfs tmpfs rw
            28 20 254:0 /etc /mnt/second rw - ext4 /dev/vda rw
            29 26 254:0 /srv/data /run/data rw - ext4 /dev/vda rw
            30 20 254:16 / /home rw - ext4 /dev/vdb rw
            31 20 0:50 / /mnt/all rw - btrfs /dev/vdc rw
            32 20 0:50 /@lib /var/lib/docker rw - btrfs /dev/vdc rw
            33 20 0:26 / /var/lib/docker/containers/%s/mounts/shm rw - tmpfs shm rw
            34 20 0:27 / /var/lib/docker/containers/%s/mounts/shm rw - tmpfs shm rw
            35 21 0:28 / /dev/shm rw - tmpfs tmpfs rw
            """.formatted(ID, OTHER);

    /// @param mount device, root, point, `ro` or `rw`, and file system, as in proc_pid_mountinfo(5)
    /// @param joins whose namespaces it joins, empty for nobody's
    record MountCase(String what, String mount, String joins, Status status) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static MountCase bad(String what, String mount) {
        return new MountCase(what, mount, "", Status.FAIL);
    }

    private static MountCase good(String what, String mount) {
        return new MountCase(what, mount, "", Status.PASS);
    }

    static final List<MountCase> BAD = List.of(
            bad("/etc, of which the host has a second bind mount", "254:0 /etc /x rw ext4"),
            bad("the second bind mount of /etc", "254:0 /etc /mnt/second rw ext4"),
            bad("a file below /etc", "254:0 /etc/shadow /x ro ext4"),
            bad("the disk that holds /etc", "254:0 / /host ro ext4"),
            bad("/proc of the host elsewhere", "0:20 / /proc_host rw proc"),
            bad("/proc/sys of the host elsewhere", "0:20 /sys /procsys rw proc"),
            bad("/proc of the host at its usual place", "0:20 / /proc rw proc"),
            bad("/sys of the host", "0:21 / /sys rw sysfs"),
            bad("the unified tree of control groups elsewhere", "0:23 / /cg rw cgroup2"),
            bad("all control groups to write", "0:22 / /cg rw tmpfs"),
            bad("/run as a whole", "0:24 / /r rw tmpfs"),
            bad("systemd's directory below /run", "0:24 /systemd /s rw tmpfs"),
            bad("a file system of its own below /run that matters", "0:25 / /locks rw tmpfs"),
            bad("/dev as a whole", "0:5 / /d rw devtmpfs"),
            bad("shared memory of the host", "0:28 / /d/shm rw tmpfs"),
            bad("all homes, on a disk of their own", "254:16 / /homes rw ext4"),
            bad("one home", "254:16 /ann /ann rw ext4"),
            bad("keys in a home", "254:16 /ann/.ssh /keys ro ext4"),
            bad("root's home", "254:0 /root /r ro ext4"),
            bad("the data root by another mount of its disk", "0:50 /@lib /all rw btrfs"),
            bad("the disk that holds the data root", "0:50 / /all rw btrfs"),
            bad("a layer of another container", "0:50 /@lib/overlay2/x/diff /l rw btrfs"),
            bad("files of another container", "0:50 /@lib/containers/%s/hosts /x rw btrfs".formatted(OTHER)),
            bad("another container's memory without joining it", "0:27 / /dev/shm rw tmpfs"),
            bad("cron's tables", "254:0 /var/spool/cron /c rw ext4"),
            bad("time zones to write", "254:0 /etc/localtime /etc/localtime rw ext4"),
            bad("units below /usr", "254:0 /usr/lib/systemd/system /u rw ext4"),
            bad(
                    "a program called like --init's that can be written",
                    "254:0 /usr/bin/docker-init /sbin/docker-init rw ext4"));

    static final List<MountCase> GOOD = List.of(
            good("the layers of its image", "0:99 / / rw overlay"),
            good("layers of the vfs driver", "0:50 /@lib/vfs/dir/x / rw btrfs"),
            good("its own /proc", "0:90 / /proc rw proc"),
            good("its own /proc/sys", "0:90 /sys /proc/sys ro proc"),
            good("its own /sys", "0:91 / /sys ro sysfs"),
            good("its own /dev", "0:92 / /dev rw tmpfs"),
            good("its own memory", "0:26 / /dev/shm rw tmpfs"),
            good("its own group", "0:23 /docker/%s /sys/fs/cgroup ro cgroup2".formatted(ID)),
            good(
                    "its own name resolution",
                    "0:50 /@lib/containers/%s/resolv.conf /etc/resolv.conf rw btrfs".formatted(ID)),
            new MountCase(
                    "name resolution of the container that it joins",
                    "0:50 /@lib/containers/%s/resolv.conf /etc/resolv.conf rw btrfs".formatted(OTHER),
                    "container:" + OTHER,
                    Status.PASS),
            new MountCase(
                    "hosts of the container that it joins",
                    "0:50 /@lib/containers/%s/hosts /etc/hosts rw btrfs".formatted(OTHER),
                    "container:" + OTHER,
                    Status.PASS),
            new MountCase(
                    "memory of the container that it joins",
                    "0:27 / /dev/shm rw tmpfs",
                    "container:" + OTHER,
                    Status.PASS),
            good("a volume", "0:50 /@lib/volumes/db/_data /var/lib/postgresql/data rw btrfs"),
            good("a part of a volume", "0:50 /@lib/volumes/db/_data/x /x rw btrfs"),
            good(
                    "podman's files of the container",
                    "0:24 /containers/storage/overlay-containers/%s/userdata/hosts /etc/hosts rw tmpfs".formatted(ID)),
            good("time zone", "254:0 /usr/share/zoneinfo/Etc/UTC /etc/localtime ro ext4"),
            good("time zone as a file", "254:0 /etc/timezone /etc/timezone ro ext4"),
            good("the program of --init", "254:0 /usr/bin/docker-init /sbin/docker-init ro ext4"),
            good("podman's program of --init", "254:0 /usr/libexec/podman/catatonit /run/podman-init ro ext4"),
            good("a directory that the host has below /run too", "254:0 /srv/data /data rw ext4"),
            good("an application's directory", "254:0 /srv/app /app rw ext4"),
            good("an application's directory below /opt", "254:0 /opt/app /opt/app rw ext4"),
            good("logs", "254:0 /var/log /var/log ro ext4"),
            good("an application's state", "254:0 /var/lib/grafana /var/lib/grafana rw ext4"),
            good("a project in a home", "254:16 /ann/src/shop /src rw ext4"),
            good("a database's socket below /run", "0:24 /postgresql /var/run/postgresql rw tmpfs"),
            good("the log's socket", "0:24 /systemd/journal/dev-log /dev/log rw tmpfs"),
            good("certificates of authorities", "254:0 /etc/ssl/certs /etc/ssl/certs ro ext4"),
            good("modules of the kernel", "254:0 /usr/lib/modules /lib/modules ro ext4"),
            good("the machine's id", "254:0 /etc/machine-id /etc/machine-id ro ext4"),
            good("devices that udev knows", "0:24 /udev /run/udev ro tmpfs"),
            good("a memory file system", "0:93 / /run rw tmpfs"),
            good("a mask over a kernel file", "0:5 /null /proc/kcore rw devtmpfs"),
            good("a file server's export", "0:94 / /exports rw nfs4"));

    static Stream<MountCase> cases() {
        return Stream.concat(BAD.stream(), GOOD.stream());
    }

    private static Facts facts(MountCase each) {
        return facts(each.joins(), List.of(each.mount()));
    }

    private static Facts facts(String joins, List<String> table) {
        List<Mount> mounts = table.stream()
                .map(mount -> mount.split(" ", 5))
                .map(cells -> "99 1 %s %s %s %s - %s none rw".formatted((Object[]) cells))
                .flatMap(line ->
                        MountTable.ofText(HOST).located(MountTable.ofText(line).mounts(), MARKS).stream())
                .toList();
        return FactsFile.with(
                "containers/0/truth/mounts",
                mounts.stream().map(FactsJson::tree).toList(),
                "containers/0/claims/networkMode",
                joins,
                "containers/0/claims/ipcMode",
                joins);
    }

    private static Finding found(String... mounts) {
        Facts facts = facts("", List.of(mounts));
        return HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2)).findings().stream()
                .filter(finding -> finding.check().name().equals("host-directory"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void the_worst_of_several_mounts_decides_wherever_it_stands() {
        String harmless = "254:0 /srv/app /app rw ext4";
        String read = "254:0 /var/spool/cron /c ro ext4";
        String write = "254:0 /etc /mnt/second rw ext4";
        Severity least = found(read).severity();
        Severity most = found(write).severity();

        assertThat(least).isEqualTo(Severity.MEDIUM).isNotEqualTo(most);
        for (List<String> order : List.of(
                List.of(write, read),
                List.of(read, write),
                List.of(harmless, write, read, harmless),
                List.of(read, harmless, write, harmless))) {
            Finding all = found(order.toArray(String[]::new));
            assertThat(all.severity()).as(order.toString()).isEqualTo(most);
            assertThat(all.message()).contains("/etc", "/var/spool/cron");
        }
        assertThat(found(read, harmless).severity()).isEqualTo(least);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_mount_is_judged_by_where_it_leads(MountCase each) {
        Facts facts = facts(each);

        assertThat(HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2))
                        .findings())
                .filteredOn(finding -> finding.check().name().equals("host-directory"))
                .singleElement()
                .satisfies(finding ->
                        assertThat(finding.status()).as(finding.message()).isEqualTo(each.status()));
    }

    @Test
    void there_are_as_many_good_cases_as_bad_ones() {
        assertThat(GOOD.size()).isGreaterThanOrEqualTo(BAD.size());
    }

    @Test
    void what_holds_a_sensitive_directory_is_told_with_it() {
        Facts facts = facts(bad("the disk of the data root", "0:50 / /all rw btrfs"));

        assertThat(facts.containers().getFirst().truth().orElseThrow().mounts())
                .singleElement()
                .satisfies(mount -> assertThat(mount.holds()).containsExactly("/var/lib/docker"));
    }

    /// As podman's `--rootfs /` does it.
    @Test
    void a_container_whose_root_is_the_hosts_is_found() {
        Facts facts = facts(bad("the host's root", "254:0 / / rw ext4"));

        assertThat(HostAudit.judge(facts, LiveRequests.of(facts, Optional.empty(), 2))
                        .findings())
                .filteredOn(finding -> finding.check().name().equals("host-directory"))
                .extracting(finding -> finding.status())
                .containsExactly(Status.FAIL);
    }

    static Map<String, Integer> count() {
        return Map.of("bad", BAD.size(), "good", GOOD.size());
    }
}
