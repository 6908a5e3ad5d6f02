package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Placement;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.WritableLayer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyTest {
    /// A wish that is refused, and the codes of all that stands against it.
    record Refusal(String what, List<String> codes, UnaryOperator<ContainerSpec> wish) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Refusal refusal(String what, String code, UnaryOperator<ContainerSpec> wish) {
        return new Refusal(what, List.of(code), wish);
    }

    private static Mount.Bind bind(String source, String target) {
        return new Mount.Bind(Path.of(source), InRootPath.parse(target), true, false);
    }

    private static Mount.Tmpfs tmpfs(String target, Bytes size, int mode) {
        return new Mount.Tmpfs(InRootPath.parse(target), size, mode, false, false);
    }

    private static Mount.Tmpfs tmpfs(String target) {
        return tmpfs(target, Bytes.mebibytes(1), 01777);
    }

    static Stream<Refusal> refusals() {
        return Stream.of(mounts(), privileges(), sysctls(), limits(), texts()).flatMap(List::stream);
    }

    private static List<Refusal> mounts() {
        return List.of(
                refusal("a relative source", "MOUNT_SOURCE", spec -> spec.mount(bind("data", "/data"))),
                refusal("a source with ..", "MOUNT_SOURCE", spec -> spec.mount(bind("/tmp/../etc", "/data"))),
                refusal("a source with .", "MOUNT_SOURCE", spec -> spec.mount(bind("/tmp/.", "/data"))),
                refusal("no such source", "MOUNT_SOURCE", spec -> spec.mount(bind("/tmp/caisson/none", "/data"))),
                refusal("over the root", "MOUNT_TARGET", spec -> spec.mount(tmpfs("/"))),
                refusal("at /proc", "MOUNT_TARGET", spec -> spec.mount(tmpfs("/proc"))),
                refusal("below /proc", "MOUNT_TARGET", spec -> spec.mount(tmpfs("//proc/./self/"))),
                refusal("at /sys", "MOUNT_TARGET", spec -> spec.mount(tmpfs("/sys"))),
                refusal("below /sys", "MOUNT_TARGET", spec -> spec.mount(tmpfs("/sys/fs/cgroup"))),
                refusal("at /dev", "MOUNT_TARGET", spec -> spec.mount(tmpfs("/dev/shm"))),
                refusal(
                        "one target twice",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.mount(tmpfs("/data")).mount(tmpfs("/data/"))),
                refusal(
                        "a tmpfs without bounds",
                        "TMPFS_SIZE",
                        spec -> spec.mount(tmpfs("/data", Bytes.UNLIMITED, 01777))),
                refusal("a tmpfs of nothing", "TMPFS_SIZE", spec -> spec.mount(tmpfs("/data", Bytes.of(1), 0))),
                refusal(
                        "a tmpfs with a set-uid mode",
                        "TMPFS_MODE",
                        spec -> spec.mount(tmpfs("/data", Bytes.mebibytes(1), 04755))),
                refusal("too many mounts", "MOUNTS_TOO_MANY", spec -> {
                    ContainerSpec many = spec;
                    for (int i = 0; i < 65; i++) {
                        many = many.mount(tmpfs("/data/" + i));
                    }
                    return many;
                }));
    }

    private static List<Refusal> privileges() {
        return List.of(
                refusal("privileged", "ALLOWANCE_NEEDED", spec -> spec.privileged(true)),
                refusal("new privileges", "ALLOWANCE_NEEDED", spec -> spec.newPrivileges(true)),
                refusal("no filter", "ALLOWANCE_NEEDED", spec -> spec.seccomp(new SeccompChoice.Unconfined())),
                refusal("the host's IPC", "ALLOWANCE_NEEDED", spec -> spec.share(ContainerSpec.SharedNamespace.IPC)),
                refusal("the host's UTS", "ALLOWANCE_NEEDED", spec -> spec.share(ContainerSpec.SharedNamespace.UTS)),
                refusal(
                        "a host name for the host",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.HOST_UTS)
                                .share(ContainerSpec.SharedNamespace.UTS)
                                .hostName("box")),
                refusal(
                        "a capability added and dropped",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.addCapabilities(Set.of(Capability.CHOWN))
                                .dropCapabilities(Set.of(Capability.CHOWN))),
                refusal(
                        "a profile for privileged",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.PRIVILEGED)
                                .privileged(true)
                                .seccomp(new SeccompChoice.Custom("bad.json", "no JSON at all"))),
                refusal(
                        "strict for privileged",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.PRIVILEGED)
                                .privileged(true)
                                .seccomp(watched(new SeccompChoice.Strict(), SeccompChoice.Watch.TELL))),
                refusal(
                        "nothing to learn",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.UNCONFINED_SECCOMP)
                                .seccomp(watched(new SeccompChoice.Unconfined(), SeccompChoice.Watch.LEARN))),
                refusal(
                        "nothing to complain of",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.PRIVILEGED)
                                .privileged(true)
                                .seccomp(watched(new SeccompChoice.Standard(), SeccompChoice.Watch.COMPLAIN))),
                refusal(
                        "learning",
                        "ALLOWANCE_NEEDED",
                        spec -> spec.seccomp(watched(new SeccompChoice.Standard(), SeccompChoice.Watch.LEARN))),
                refusal(
                        "privileged without a capability",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.allow(Allowance.PRIVILEGED)
                                .privileged(true)
                                .dropCapabilities(Set.of(Capability.KILL))));
    }

    private static SeccompChoice watched(SeccompChoice choice, SeccompChoice.Watch watch) {
        return new SeccompChoice.Watched(choice, watch);
    }

    private static List<Refusal> sysctls() {
        UnaryOperator<ContainerSpec> sharedIpc =
                spec -> spec.allow(Allowance.HOST_IPC).share(ContainerSpec.SharedNamespace.IPC);
        return List.of(
                refusal("a host's sysctl", "SYSCTL_REFUSED", spec -> spec.sysctl("kernel.core_pattern", "|/x")),
                refusal("the same with slashes", "SYSCTL_REFUSED", spec -> spec.sysctl("kernel/core_pattern", "|/x")),
                refusal("vm", "SYSCTL_REFUSED", spec -> spec.sysctl("vm.overcommit_memory", "1")),
                refusal("user", "SYSCTL_REFUSED", spec -> spec.sysctl("user.max_user_namespaces", "9")),
                refusal("out of net", "SYSCTL_REFUSED", spec -> spec.sysctl("net/../kernel/core_pattern", "x")),
                refusal(
                        "a newline",
                        "SYSCTL_REFUSED",
                        spec -> spec.sysctl("kernel.shmmax", "1\nkernel.core_pattern=x")),
                refusal("an escape", "SYSCTL_REFUSED", spec -> spec.sysctl("net.ipv4.ip_forward", "1\u001b")),
                refusal("a character beyond ASCII", "SYSCTL_REFUSED", spec -> spec.sysctl("net.a.b", "\u00e9")),
                refusal("a deletion", "SYSCTL_REFUSED", spec -> spec.sysctl("net.a.b", "1\u007f")),
                refusal("no value", "SYSCTL_REFUSED", spec -> spec.sysctl("net.ipv4.ip_forward", "")),
                refusal(
                        "the host's shared memory",
                        "OPTIONS_CONTRADICT",
                        spec -> sharedIpc.apply(spec).sysctl("kernel.shmmax", "1")),
                refusal(
                        "the host's shared memory with slashes",
                        "OPTIONS_CONTRADICT",
                        spec -> sharedIpc.apply(spec).sysctl("kernel/shmmax", "1")),
                refusal(
                        "the host's message queues with slashes",
                        "OPTIONS_CONTRADICT",
                        spec -> sharedIpc.apply(spec).sysctl("fs/mqueue/msg_max", "1")));
    }

    private static List<Refusal> limits() {
        return List.of(
                refusal(
                        "a hard limit above the engine's",
                        "RLIMIT_TOO_HIGH",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.NOFILE, 1, Samples.HARD_NOFILE + 1))),
                refusal(
                        "no hard limit",
                        "RLIMIT_TOO_HIGH",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.NOFILE, 1, Rlimit.UNLIMITED))),
                refusal(
                        "a limit twice",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.rlimit(new Rlimit(Rlimit.Resource.CORE, 0, 0))
                                .rlimit(new Rlimit(Rlimit.Resource.CORE, 1, 1))),
                refusal("an OOM score below the engine's", "OOM_SCORE_TOO_LOW", spec -> spec.oomScoreAdjustment(99)),
                refusal("an OOM score of -1001", "OOM_SCORE_INVALID", spec -> spec.oomScoreAdjustment(-1001)),
                refusal("an OOM score of 1001", "OOM_SCORE_INVALID", spec -> spec.oomScoreAdjustment(1001)),
                refusal("no time", "DEADLINE_INVALID", spec -> spec.wallClock(Duration.ZERO)),
                refusal("less than no time", "DEADLINE_INVALID", spec -> spec.cpuTime(Duration.ofSeconds(-1))),
                refusal("no shared memory", "SHM_SIZE", spec -> spec.sharedMemory(Bytes.ZERO)),
                refusal("endless shared memory", "SHM_SIZE", spec -> spec.sharedMemory(Bytes.UNLIMITED)),
                refusal("no output", "OUTPUT_LIMIT", spec -> spec.outputLimit(Bytes.ZERO)),
                refusal(
                        "a writable layer of nothing",
                        "STORAGE_SIZE",
                        spec -> spec.writableLayer(WritableLayer.STANDARD.size(Bytes.ZERO))),
                refusal(
                        "a writable layer that memory does not hold",
                        "STORAGE_ABOVE_MEMORY",
                        spec -> spec.writableLayer(
                                WritableLayer.STANDARD.size(Bytes.gibibytes(1)).place(WritableLayer.Place.MEMORY))),
                refusal(
                        "a large writable layer where no disk bounds it",
                        "STORAGE_UNAVAILABLE",
                        spec -> spec.writableLayer(WritableLayer.STANDARD.size(Bytes.gibibytes(1)))),
                refusal(
                        "a small writable layer on a disk that does not bound it",
                        "STORAGE_UNAVAILABLE",
                        spec -> spec.writableLayer(
                                WritableLayer.STANDARD.size(Bytes.mebibytes(8)).place(WritableLayer.Place.DISK))),
                refusal(
                        "a writable layer on disk of any size",
                        "STORAGE_SIZE",
                        spec -> spec.writableLayer(WritableLayer.STANDARD.place(WritableLayer.Place.DISK))),
                refusal(
                        "a writable layer of 15 files",
                        "STORAGE_INODES",
                        spec -> spec.writableLayer(WritableLayer.STANDARD.inodes(15))),
                refusal(
                        "a size of what cannot be written to",
                        "OPTIONS_CONTRADICT",
                        spec -> spec.readOnlyRoot(true).writableLayer(WritableLayer.STANDARD.inodes(64))),
                refusal("a tenant with a slash", "TENANT_NAME", spec -> spec.placement(tenant("a/../b"))),
                refusal("a tenant without a name", "TENANT_NAME", spec -> spec.placement(tenant(""))),
                refusal("a parent above the root", "CGROUP_PARENT", spec -> spec.placement(parent("../jobs"))),
                refusal("no parent", "CGROUP_PARENT", spec -> spec.placement(parent(""))),
                refusal("an engine's parent", "CGROUP_PARENT", spec -> spec.placement(parent("caisson/tenant-b"))));
    }

    private static Placement tenant(String name) {
        return new Placement.Tenant(name, Optional.empty());
    }

    private static Placement parent(String path) {
        return new Placement.Parent(path);
    }

    private static List<Refusal> texts() {
        return List.of(
                refusal("a name with a slash", "NAME_INVALID", spec -> spec.name("a/b")),
                refusal("a name like a hidden file", "NAME_INVALID", spec -> spec.name(".a")),
                refusal("a host name with a newline", "HOSTNAME_INVALID", spec -> spec.hostName("a\nb")),
                refusal("a host name of 65", "HOSTNAME_INVALID", spec -> spec.hostName("a".repeat(65))),
                refusal("a variable with =", "ENVIRONMENT_INVALID", spec -> spec.environment("A=B", "c")),
                refusal("a variable that begins with =", "ENVIRONMENT_INVALID", spec -> spec.environment("=A", "c")),
                refusal("a variable without a name", "ENVIRONMENT_INVALID", spec -> spec.environment("", "c")),
                refusal("a NUL", "TEXT_INVALID", spec -> spec.environment("A", "b\0C=d")),
                refusal("a huge argument", "TEXT_TOO_LONG", spec -> spec.entrypoint(List.of("x".repeat(128 * 1024)))),
                refusal(
                        "a huge argument of wide characters",
                        "TEXT_TOO_LONG",
                        spec -> spec.entrypoint(List.of("€".repeat(50 * 1024)))),
                refusal("a relative working directory", "WORKING_DIRECTORY", spec -> spec.workingDirectory("srv")),
                refusal("a working directory with ..", "WORKING_DIRECTORY", spec -> spec.workingDirectory("/srv/..")),
                refusal(
                        "a descriptor as working directory",
                        "WORKING_DIRECTORY",
                        spec -> spec.workingDirectory("/proc/self/fd/7")),
                refusal(
                        "the same, spelled otherwise",
                        "WORKING_DIRECTORY",
                        spec -> spec.workingDirectory("//proc/./self/fd/7/")));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refuses_what_it_forbids(Refusal refusal) {
        List<Finding> findings = Samples.check(refusal.wish().apply(Samples.spec()), Samples.host());

        assertThat(findings).extracting(Finding::code).isEqualTo(refusal.codes());
        assertThat(findings)
                .allSatisfy(
                        finding -> assertThat(finding.sentence()).isNotBlank().doesNotContain("\n"));
    }

    @Test
    void tells_everything_that_stands_against_a_wish() {
        ContainerSpec wish = Samples.spec().privileged(true).name("-").oomScoreAdjustment(0);

        assertThatThrownBy(() -> Samples.approve(wish, Samples.host()))
                .isInstanceOfSatisfying(RefusedException.class, refused -> {
                    assertThat(refused.findings())
                            .extracting(Finding::code)
                            .containsExactly("NAME_INVALID", "ALLOWANCE_NEEDED", "OOM_SCORE_TOO_LOW");
                    assertThat(refused.exitStatus()).isEqualTo(125);
                    assertThat(refused.httpStatus()).isEqualTo(400);
                });
    }

    @Test
    void the_plain_wish_passes() {
        assertThat(Samples.check(Samples.spec(), Samples.host())).isEmpty();
        assertThat(Samples.check(Samples.spec(), Samples.hybridHost())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/etc", "/etc/hostname", "/proc", "/sys", "/dev", "/usr/bin", "/run", "/var", "/root"})
    void a_path_that_the_host_trusts_needs_an_allowance(String source) {
        ContainerSpec wish = Samples.spec().mount(bind(source, "/data"));

        assertThat(Samples.check(wish, Samples.host()))
                .extracting(Finding::code)
                .containsExactly("ALLOWANCE_NEEDED");
        assertThat(Samples.check(wish.allow(Allowance.HOST_PATHS), Samples.host()))
                .isEmpty();
        assertThat(Samples.check(wish.allow(Allowance.DANGEROUS_CAPABILITIES), Samples.host()))
                .hasSize(1);
    }

    @Test
    void what_belongs_to_the_engine_needs_an_allowance_by_any_of_its_names(@TempDir Path directory) throws IOException {
        Path own = Files.createDirectories(directory.resolve("srv/caisson"));
        Path link = Files.createSymbolicLink(directory.resolve("data"), own);
        Path below = Files.createDirectory(own.resolve("images"));
        Path beside = Files.createDirectory(directory.resolve("srv/site"));
        var trusted = new TrustedPaths(List.of(link, directory.resolve("state")));

        for (Path source : List.of(own, link, below, directory, own.getParent())) {
            ContainerSpec wish = Samples.spec().mount(bind(source.toString(), "/data"));
            assertThat(Samples.check(wish, Samples.host(), trusted))
                    .extracting(Finding::code)
                    .containsExactly("ALLOWANCE_NEEDED");
            assertThat(Samples.check(wish.allow(Allowance.HOST_PATHS), Samples.host(), trusted))
                    .isEmpty();
        }
        assertThat(Samples.check(Samples.spec().mount(bind(beside.toString(), "/data")), Samples.host(), trusted))
                .isEmpty();
    }

    @Test
    void the_lists_of_installed_packages_are_trusted_by_the_host() {
        for (String path :
                List.of("/var/lib/dpkg", "/var/lib/dpkg/info", "/var/lib/rpm", "/var/lib/apt", "/nix/store")) {
            assertThat(TrustedPaths.OF_ANY_HOST.touches(Path.of(path))).as(path).isTrue();
        }
        assertThat(TrustedPaths.OF_ANY_HOST.touches(Path.of("/var/lib/postgresql")))
                .isFalse();
    }

    @Test
    void a_sensitive_path_behind_a_symbolic_link_and_a_socket_need_an_allowance(@TempDir Path directory)
            throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("innocent"), Path.of("/etc"));
        Path socket = Files.createFile(directory.resolve("control.sock"));

        for (Path source : List.of(link, socket)) {
            assertThat(Samples.check(Samples.spec().mount(bind(source.toString(), "/data")), Samples.host()))
                    .extracting(Finding::code)
                    .containsExactly("ALLOWANCE_NEEDED");
        }
        Files.delete(link);
        assertThat(Samples.check(Samples.spec().mount(bind(directory.toString(), "/data")), Samples.host()))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Capability.class)
    void exactly_the_dangerous_capabilities_need_an_allowance(Capability capability) {
        ContainerSpec wish = Samples.spec().addCapabilities(Set.of(capability));

        assertThat(Samples.check(wish, Samples.host())).hasSize(capability.isDangerous() ? 1 : 0);
        assertThat(Samples.check(wish.allow(Allowance.DANGEROUS_CAPABILITIES), Samples.host()))
                .isEmpty();
    }

    @Test
    void all_dropped_and_one_added_is_no_contradiction() {
        ContainerSpec wish = Samples.spec()
                .dropCapabilities(EnumSet.allOf(Capability.class))
                .addCapabilities(Set.of(Capability.CHOWN));

        assertThat(Samples.check(wish, Samples.host())).isEmpty();
        assertThat(wish.capabilities()).isEqualTo(CapabilitySet.of(Capability.CHOWN));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"b 8:0 r", "c 1:1 r", "c 1:2 w", "c 1:11 r", "c 1:* r", "c *:* m", "c 4:0 rw", "c 10:229 rw"})
    void a_device_that_not_every_container_has_needs_an_allowance(String rule) {
        ContainerSpec wish = Samples.spec().limits(Limits.defaults().devices(DeviceRule.parse(rule)));

        assertThat(Samples.check(wish, Samples.host())).singleElement().satisfies(finding -> {
            assertThat(finding.code()).isEqualTo("ALLOWANCE_NEEDED");
            assertThat(finding.sentence()).contains(rule).contains("--allow host-devices");
        });
        assertThat(Samples.check(wish.allow(Allowance.HOST_DEVICES), Samples.host()))
                .isEmpty();
    }

    @Test
    void the_devices_that_every_container_has_need_none() {
        ContainerSpec wish = Samples.spec().limits(Limits.defaults().devices(DeviceRule.parse("c 136:4 rw")));

        assertThat(Samples.check(wish, Samples.host())).isEmpty();
        assertThat(Samples.check(wish.limits(Limits.defaults().devices(DeviceRule.parse("a *:* rwm"))), Samples.host()))
                .hasSize(2);
    }

    @ParameterizedTest
    @EnumSource(Allowance.class)
    void an_allowance_covers_nothing_but_its_own(Allowance allowance) {
        ContainerSpec everything = Samples.spec()
                .newPrivileges(true)
                .seccomp(new SeccompChoice.Unconfined())
                .share(ContainerSpec.SharedNamespace.IPC)
                .share(ContainerSpec.SharedNamespace.UTS)
                .addCapabilities(Set.of(Capability.SYS_ADMIN))
                .limits(Limits.defaults().devices(DeviceRule.parse("c 1:1 r")))
                .mount(bind("/etc", "/data"));

        boolean about = !Set.of(
                        Allowance.PRIVILEGED, Allowance.SETUID_FILES, Allowance.HOST_SERVICES, Allowance.HOST_NETWORK)
                .contains(allowance); // nothing of the above needs these
        assertThat(Samples.check(everything.allow(allowance), Samples.host())).hasSize(about ? 6 : 7);
    }

    @Test
    void a_source_is_refused_with_the_reason_that_holds() {
        assertThat(sentence(Samples.spec().mount(bind("data", "/data")))).contains("a host path is absolute");
        assertThat(sentence(Samples.spec().mount(bind("/tmp/../etc", "/data")))).contains("holds '.' or '..'");
        assertThat(sentence(Samples.spec().mount(bind("/tmp/caisson/none", "/data"))))
                .contains("does not exist");
    }

    @Test
    void the_reason_names_what_opens_the_filter() {
        assertThat(sentence(Samples.spec().seccomp(new SeccompChoice.Unconfined())))
                .startsWith("seccomp=unconfined opens:");
        assertThat(sentence(Samples.spec().seccomp(watched(new SeccompChoice.Standard(), SeccompChoice.Watch.LEARN))))
                .startsWith("a profile whose denials pass opens:");
    }

    private static String sentence(ContainerSpec spec) {
        List<Finding> findings = Samples.check(spec, Samples.host());
        assertThat(findings).hasSize(1);
        return findings.getFirst().sentence();
    }

    @Test
    void what_contradicts_nothing_passes() {
        ContainerSpec sharedIpc = Samples.spec().allow(Allowance.HOST_IPC).share(ContainerSpec.SharedNamespace.IPC);
        ContainerSpec sharedUts = Samples.spec().allow(Allowance.HOST_UTS).share(ContainerSpec.SharedNamespace.UTS);

        for (ContainerSpec spec : List.of(
                sharedIpc.sysctl("net.ipv4.ip_forward", "1"),
                sharedIpc.hostName("box"),
                sharedUts,
                sharedUts.sysctl("kernel.shmmax", "1"),
                Samples.spec().seccomp(new SeccompChoice.Strict()),
                Samples.spec().seccomp(new SeccompChoice.Custom("a.json", "{}")),
                Samples.spec().seccomp(watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL)),
                Samples.spec()
                        .allow(Allowance.UNCONFINED_SECCOMP)
                        .seccomp(watched(new SeccompChoice.Unconfined(), SeccompChoice.Watch.TELL)),
                Samples.spec()
                        .rlimit(new Rlimit(Rlimit.Resource.CORE, 0, Rlimit.UNLIMITED))
                        .rlimit(new Rlimit(Rlimit.Resource.STACK, 0, 0)))) {
            assertThat(Samples.check(spec, Samples.host())).isEmpty();
        }
    }

    private static HostFacts host(int oomScore) {
        HostFacts host = Samples.host();
        return new HostFacts(
                host.kernel(),
                host.architecture(),
                host.effectiveUid(),
                host.capabilities(),
                host.hardLimits(),
                oomScore,
                host.landlockAbi(),
                host.timeNamespaces(),
                host.cgroupMounts(),
                host.cgroupJoins(),
                host.cgroupCloneInto(),
                host.layerMedia());
    }

    @Test
    void the_lowest_oom_score_is_the_engine_s_own_or_the_kernel_s() {
        assertThat(Samples.check(Samples.spec().oomScoreAdjustment(-1000), host(-1000)))
                .isEmpty();
        assertThat(Samples.check(Samples.spec().oomScoreAdjustment(-1001), host(-1000)))
                .extracting(Finding::code)
                .containsExactly("OOM_SCORE_INVALID");
    }

    @Test
    void who_names_no_oom_score_gets_the_engine_s_own_where_that_is_higher() {
        assertThat(Samples.spec().oomScoreAdjustment()).isEqualTo(Policy.USUAL_OOM_SCORE);
        assertThat(Samples.plan(Samples.spec(), host(900)).only(Step.SetOomScoreAdjustment.class))
                .isEqualTo(new Step.SetOomScoreAdjustment(900));
        assertThat(Samples.plan(Samples.spec(), host(499)).only(Step.SetOomScoreAdjustment.class))
                .isEqualTo(new Step.SetOomScoreAdjustment(500));
        assertThat(Samples.check(Samples.spec().oomScoreAdjustment(899), host(900)))
                .extracting(Finding::code)
                .containsExactly("OOM_SCORE_TOO_LOW");
    }

    @ParameterizedTest
    @ValueSource(strings = {"4096\t131072 6291456", " ", "~"})
    void values_of_printable_characters_blanks_and_tabs_pass(String value) {
        assertThat(Samples.check(Samples.spec().sysctl("net.ipv4.tcp_rmem", value), Samples.host()))
                .isEmpty();
    }

    @Test
    void a_sysctl_with_slashes_keeps_its_dots() {
        assertThat(Sysctls.path("net/ipv4/conf/eth0.100/forwarding"))
                .isEqualTo(InRootPath.of("net/ipv4/conf/eth0.100/forwarding"));
        assertThat(Sysctls.path("net.ipv4.ip_forward")).isEqualTo(InRootPath.of("net/ipv4/ip_forward"));
    }

    @Test
    void the_root_counts_as_trusted() {
        assertThat(TrustedPaths.OF_ANY_HOST.touches(Path.of("/"))).isTrue();
        assertThat(new TrustedPaths(List.of(Path.of("/srv/own"))).touches(Path.of("/srv/own/x")))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"net.ipv4.ip_forward", "net/core/somaxconn", "fs.mqueue.msg_max", "kernel.shmmax"})
    void namespaced_sysctls_pass(String name) {
        assertThat(Samples.check(Samples.spec().sysctl(name, "1"), Samples.host()))
                .isEmpty();
    }
}
