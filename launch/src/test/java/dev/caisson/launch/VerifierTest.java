package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A kernel that differs from the plan in one thing: the verifier says which, and nothing else.
class VerifierTest {
    /// @param subjects all that is told to be other than planned
    record Deviation(String what, List<String> subjects, Consumer<FakeProcess> change) {
        @Override
        public String toString() {
            return what;
        }
    }

    @TempDir
    private Path proc;

    private static LaunchPlan roomy(LaunchPlan plan) {
        return withRoot(plan, Long.MAX_VALUE / 2, Long.MAX_VALUE);
    }

    private static LaunchPlan withRoot(LaunchPlan plan, long bytes, long inodes) {
        return new LaunchPlan(
                plan.ids(),
                plan.namespaces(),
                new LaunchPlan.RootAssembly(plan.root().layers(), bytes, inodes),
                plan.slots(),
                plan.steps());
    }

    /// Without a filter: its instructions are read from a process that runs.
    static ContainerSpec unfiltered() {
        return Samples.spec().allow(Allowance.UNCONFINED_SECCOMP).seccomp(new SeccompChoice.Unconfined());
    }

    static LaunchPlan plan() {
        return roomy(Samples.plan(unfiltered(), Samples.hybridHost()));
    }

    static List<String> deviating(List<Verifier.Check> checks) {
        return checks.stream()
                .filter(check -> !check.asPlanned())
                .map(Verifier.Check::subject)
                .toList();
    }

    private static Deviation status(String subject, String line, String value) {
        return new Deviation(line + " " + value, List.of(subject), process -> process.status.put(line, value));
    }

    static Stream<Deviation> identities() {
        int base = IdRange.FIRST;
        String ids = " " + IdRange.FIRST + " " + IdRange.WIDTH;
        var deviations = new ArrayList<Deviation>();
        for (String map : List.of("uid", "gid")) {
            for (String text :
                    List.of("", "1" + ids, "0" + ids + "0", "0 0 " + IdRange.WIDTH, "0" + ids + "\n70000 0 1")) {
                deviations.add(new Deviation(
                        map + " map '" + text + "'",
                        List.of(map + " map"),
                        process -> process.write(map + "_map", text)));
            }
        }
        for (int i = 0; i < 4; i++) {
            var uids = new ArrayList<>(java.util.Collections.nCopies(4, "" + (base + 1000)));
            var gids = new ArrayList<>(java.util.Collections.nCopies(4, "" + (base + 1001)));
            uids.set(i, "" + base);
            gids.set(i, "" + base);
            deviations.add(status("user", "Uid", String.join("\t", uids)));
            deviations.add(status("group", "Gid", String.join("\t", gids)));
        }
        deviations.add(status("supplementary groups", "Groups", ""));
        deviations.add(status("supplementary groups", "Groups", (base + 5) + " "));
        deviations.add(status("supplementary groups", "Groups", base + " " + (base + 5) + " " + (base + 44)));
        deviations.add(status("no_new_privs", "NoNewPrivs", "0"));
        String one = "0000000000000001";
        deviations.add(status("capabilities bounding", "CapBnd", one));
        deviations.add(status("capabilities permitted", "CapPrm", one));
        deviations.add(status("capabilities effective", "CapEff", one));
        deviations.add(status("capabilities inheritable", "CapInh", one));
        deviations.add(status("capabilities ambient", "CapAmb", one));
        for (Namespace namespace : Namespace.values()) {
            deviations.add(new Deviation(
                    namespace + " of the host",
                    List.of(namespace + " namespace"),
                    process -> share(process, namespace)));
            deviations.add(new Deviation(
                    namespace + " unreadable",
                    List.of(namespace + " namespace"),
                    process -> delete(
                            process.namespace(namespace, false),
                            process.namespace(namespace, false)
                                    .resolveSibling("../../" + FakeProcess.INIT + "/ns/" + namespace.link()))));
        }
        return deviations.stream();
    }

    private static void share(FakeProcess process, Namespace namespace) {
        try {
            for (int pid : List.of(FakeProcess.INIT, FakeProcess.PROGRAM)) {
                Path link =
                        process.namespace(namespace, false).resolveSibling("../../" + pid + "/ns/" + namespace.link());
                Files.delete(link);
                Files.createLink(link, process.namespace(namespace, true));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void delete(Path... files) {
        try {
            for (Path file : files) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Stream<Deviation> surroundings() {
        var deviations = new ArrayList<Deviation>();
        deviations.add(status("seccomp", "Seccomp", "2"));
        deviations.add(status("seccomp", "Seccomp", "1"));
        deviations.add(status("seccomp", "Seccomp_filters", "1"));
        for (String root : List.of("ro,nodev - overlay", "rw,nodev - tmpfs")) {
            deviations.add(new Deviation(
                    "root " + root, List.of("root file system"), process -> process.mounts.put("/", root)));
        }
        LaunchPlan plan = plan();
        for (Step.MountFileSystem mount : plan.all(Step.MountFileSystem.class)) {
            String place = mount.target().absolute();
            boolean alsoReadOnly = plan.all(Step.MakeReadOnly.class).stream()
                    .anyMatch(make -> make.path().equals(mount.target()));
            for (MountFlag flag : mount.flags()) {
                deviations.add(new Deviation(
                        place + " without " + flag,
                        List.of("mount " + place),
                        process -> process.mounts.computeIfPresent(
                                place,
                                (_, options) -> (" " + options)
                                        .replaceFirst("([ ,])" + flag.option() + ",", "$1rw,")
                                        .strip())));
            }
            if (!alsoReadOnly) {
                deviations.add(new Deviation(
                        "no " + place, List.of("mount " + place), process -> process.mounts.remove(place)));
            }
        }
        for (String usr : List.of(
                "ro,nosuid,nodev - ext4", "rw,nosuid,nodev - overlay", "ro,nodev - overlay", "ro,nosuid - overlay")) {
            deviations.add(
                    new Deviation("/usr " + usr, List.of("mount /usr"), process -> process.mounts.put("/usr", usr)));
        }
        deviations.add(new Deviation("no /usr", List.of("mount /usr"), process -> process.mounts.remove("/usr")));
        for (String peers : List.of("shared:3", "master:7", "shared:3 master:7", "unbindable")) {
            deviations.add(new Deviation(
                    "/usr " + peers,
                    List.of("mount /usr", "mount propagation"),
                    process -> process.mounts.put("/usr", "ro,nosuid,nodev " + peers + " - overlay")));
        }
        deviations.add(new Deviation(
                "a place of nobody's plan that passes events on",
                List.of("mount propagation"),
                process -> process.mounts.put("/other", "ro,nosuid,nodev shared:3 - overlay")));
        for (InRootPath masked : Planner.MASKED) {
            deviations.add(open(masked, "open"));
        }
        for (InRootPath readOnly : Planner.READ_ONLY) {
            deviations.add(open(readOnly, "open"));
            deviations.add(new Deviation(
                    readOnly + " writable",
                    List.of(readOnly.absolute()),
                    process -> process.mounts.put(readOnly.absolute(), "rw,nosuid,nodev,noexec,relatime - proc")));
            deviations.add(new Deviation(
                    readOnly + " of another word",
                    List.of(readOnly.absolute()),
                    process -> process.mounts.put(readOnly.absolute(), "rw,errors=remount-ro - proc")));
        }
        for (Step.SetResourceLimit set : plan.all(Step.SetResourceLimit.class)) {
            Rlimit limit = set.limit();
            deviations.add(limit(new Rlimit(limit.resource(), limit.soft(), limit.hard() + 1)));
            if (limit.soft() > 0) {
                deviations.add(limit(new Rlimit(limit.resource(), limit.soft() - 1, limit.hard())));
            }
        }
        deviations.add(new Deviation(
                "OOM score", List.of("oom_score_adj"), process -> process.write("oom_score_adj", "499\n")));
        deviations.add(new Deviation(
                "another group", List.of("control group"), process -> process.write("cgroup", "0::/caisson/0124\n")));
        return deviations.stream();
    }

    static void makeDirectory(FakeProcess process, InRootPath path) {
        try {
            Files.createDirectories(process.root().resolve(path.relative()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Deviation open(InRootPath path, String what) {
        return new Deviation(path + " " + what, List.of(path.absolute()), process -> {
            process.mounts.remove(path.absolute());
            makeDirectory(process, path);
        });
    }

    private static Deviation limit(Rlimit other) {
        return new Deviation(
                "limit " + other,
                List.of("limit " + other.resource()),
                process -> process.limits.put(other.resource(), other));
    }

    @ParameterizedTest
    @MethodSource({"identities", "surroundings"})
    void one_thing_that_is_not_as_planned_is_told_and_nothing_else(Deviation deviation) throws IOException {
        var process = new FakeProcess(proc, plan());

        deviation.change().accept(process);

        assertThat(deviating(process.running())).isEqualTo(deviation.subjects());
    }

    @ParameterizedTest
    @MethodSource("identities")
    void what_can_be_known_before_the_start_is_told_then(Deviation deviation) throws IOException {
        var process = new FakeProcess(proc, plan());

        deviation.change().accept(process);

        assertThat(deviating(process.beforeStart())).isEqualTo(deviation.subjects());
    }

    static Stream<LaunchPlan> plans() {
        return PlanCodecTest.plans()
                .filter(plan -> !plan.has(Step.InstallFilter.class) && !plan.has(Step.PlaceDevice.class))
                .map(VerifierTest::roomy);
    }

    @ParameterizedTest
    @MethodSource("plans")
    void a_container_that_is_as_planned_has_no_deviation(LaunchPlan plan) throws IOException {
        var process = new FakeProcess(proc, plan);

        assertThat(deviating(process.running())).isSubsetOf(volumes(plan));
        assertThat(deviating(process.beforeStart())).isEmpty();
    }

    /// A volume or workspace is the very file of the host, which only the kernel can show at two places.
    private static List<String> volumes(LaunchPlan plan) {
        return plan.all(Step.MountSlot.class).stream()
                .filter(mount -> switch (plan.slots().get(mount.slot().index())) {
                    case SlotSource.Bind _, SlotSource.Shared _ -> true;
                    default -> false;
                })
                .map(mount -> "mount " + mount.target())
                .toList();
    }

    @Test
    void all_that_is_planned_is_compared() throws IOException {
        LaunchPlan plan = plan();
        var expected = new ArrayList<String>();
        for (Namespace namespace : Namespace.values()) {
            expected.add(namespace + " namespace");
        }
        expected.addAll(List.of("uid map", "gid map", "user", "group", "supplementary groups", "no_new_privs"));
        for (String set : List.of("bounding", "permitted", "effective", "inheritable", "ambient")) {
            expected.add("capabilities " + set);
        }
        expected.addAll(List.of("mount /usr", "mount propagation"));
        expected.addAll(List.of("seccomp", "root file system", "writable layer", "oom_score_adj", "control group"));
        plan.all(Step.MountFileSystem.class).forEach(mount -> expected.add("mount " + mount.target()));
        plan.all(Step.Mask.class).forEach(mask -> expected.add(mask.path().absolute()));
        plan.all(Step.MakeReadOnly.class)
                .forEach(make -> expected.add(make.path().absolute()));
        plan.all(Step.SetResourceLimit.class)
                .forEach(set -> expected.add("limit " + set.limit().resource()));

        assertThat(new FakeProcess(proc, plan).running())
                .extracting(Verifier.Check::subject)
                .contains(expected.toArray(String[]::new));
    }

    @Test
    void a_path_that_this_kernel_lacks_is_no_deviation() throws IOException {
        var process = new FakeProcess(proc, plan());
        process.mounts.remove("/proc/keys");
        process.mounts.remove("/proc/sys");

        assertThat(process.running())
                .filteredOn(check -> List.of("/proc/keys", "/proc/sys").contains(check.subject()))
                .hasSize(2)
                .allSatisfy(check -> assertThat(check.found()).isEqualTo("not in this kernel"))
                .allMatch(Verifier.Check::asPlanned);
    }

    @Test
    void a_kernel_without_a_kind_of_namespace_is_no_deviation() throws IOException {
        var process = new FakeProcess(proc, plan());
        delete(process.namespace(Namespace.TIME, true), process.namespace(Namespace.TIME, false));

        assertThat(deviating(process.running())).isEmpty();
    }

    @Test
    void a_namespace_that_should_be_shared_and_is_its_own_is_told() throws IOException {
        LaunchPlan plan = plan();
        var process = new FakeProcess(proc, plan);
        var shared = java.util.EnumSet.copyOf(plan.namespaces());
        shared.remove(Namespace.IPC);
        var other = new LaunchPlan(plan.ids(), shared, plan.root(), plan.slots(), plan.steps());

        assertThat(deviating(process.verifier().with(other).running(FakeProcess.INIT, FakeProcess.GROUP)))
                .containsExactly("ipc namespace");
    }

    @Test
    void a_root_that_should_be_read_only_and_is_not_is_told() throws IOException {
        var process = new FakeProcess(proc, roomy(Samples.plan(unfiltered().readOnlyRoot(true), Samples.host())));
        process.mounts.put("/", "rw,nodev,relatime - overlay");

        assertThat(deviating(process.running())).containsExactly("root file system");
    }

    @Test
    void new_privileges_that_should_be_possible_and_are_not_are_told() throws IOException {
        var process = new FakeProcess(
                proc,
                roomy(Samples.plan(unfiltered().allow(Allowance.NEW_PRIVILEGES).newPrivileges(true), Samples.host())));
        process.status.put("NoNewPrivs", "1");

        assertThat(deviating(process.running())).containsExactly("no_new_privs");
    }

    /// The sample's filter cannot be read from a process that does not run: that is told too.
    @Test
    void a_filter_that_should_be_there_is_looked_for() throws IOException {
        LaunchPlan plan = roomy(Samples.plan(Samples.spec().init(false), Samples.host()));
        for (List<String> found : List.of(List.of("0", "0"), List.of("1", "1"), List.of("2", "0"))) {
            var process = new FakeProcess(Files.createTempDirectory(proc, "filter"), plan);
            process.status.put("Seccomp", found.get(0));
            process.status.put("Seccomp_filters", found.get(1));

            assertThat(deviating(process.verifier().running(FakeProcess.PROGRAM, FakeProcess.GROUP)))
                    .containsExactly("seccomp", "seccomp filter");
        }
        var process = new FakeProcess(Files.createTempDirectory(proc, "filter"), plan);
        assertThat(deviating(process.verifier().running(FakeProcess.PROGRAM, FakeProcess.GROUP)))
                .containsExactly("seccomp filter");
    }

    @Test
    void a_writable_layer_that_is_larger_than_planned_is_told() throws IOException {
        var process = new FakeProcess(proc, plan());
        var space = process.space();
        Verifier verifier = process.verifier();

        assertThat(layerIsAsPlanned(verifier, space.bytes(), space.inodes())).isTrue();
        assertThat(layerIsAsPlanned(verifier, space.bytes() - 1, space.inodes()))
                .isTrue(); // a page is not split
        assertThat(layerIsAsPlanned(verifier, space.bytes() - 4096, space.inodes()))
                .isFalse();
        assertThat(layerIsAsPlanned(verifier, space.bytes(), space.inodes() - 1))
                .isFalse();
    }

    private static boolean layerIsAsPlanned(Verifier verifier, long bytes, long inodes) {
        return verifier.with(withRoot(plan(), bytes, inodes)).running(FakeProcess.INIT, FakeProcess.GROUP).stream()
                .filter(check -> check.subject().equals("writable layer"))
                .findFirst()
                .orElseThrow()
                .asPlanned();
    }

    @Test
    void the_program_is_init_s_child_or_process_1_itself() throws IOException {
        Verifier verifier = new FakeProcess(proc, plan()).verifier();

        assertThat(verifier.program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
        assertThat(verifier.with(Samples.plan(unfiltered().init(false), Samples.host()))
                        .program(FakeProcess.INIT))
                .isEqualTo(FakeProcess.INIT);
        assertThatThrownBy(() -> verifier.running(7, FakeProcess.GROUP)).isInstanceOf(HostException.class);
    }

    @Test
    @Tag("root")
    void a_device_is_compared_by_its_number() throws Exception {
        LaunchPlan plan = roomy(Samples.plan(
                unfiltered()
                        .allow(Allowance.HOST_DEVICES)
                        .device(new HostDevice(
                                Path.of("/dev/fuse"), InRootPath.of("dev/fuse"), Set.of(DeviceRule.Access.READ))),
                Samples.host()));
        var process = new FakeProcess(proc, plan);
        Path node = process.root().resolve("dev/fuse");
        Files.createDirectories(node.getParent());

        assertThat(deviating(process.running())).containsExactly("device /dev/fuse"); // missing
        Files.createFile(node);
        assertThat(deviating(process.running())).containsExactly("device /dev/fuse"); // no device
        Files.delete(node);
        mknod(node, "10", "230");
        assertThat(deviating(process.running())).containsExactly("device /dev/fuse");
        Files.delete(node);
        mknod(node, "10", "229");
        assertThat(deviating(process.running())).isEmpty();
    }

    private static void mknod(Path node, String major, String minor) throws Exception {
        assertThat(new ProcessBuilder("mknod", node.toString(), "c", major, minor)
                        .start()
                        .waitFor())
                .isZero();
    }
}
