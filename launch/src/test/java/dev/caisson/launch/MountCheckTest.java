package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageReference;
import dev.caisson.launch.VerifierTest.Deviation;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SecretFile;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.WorkspaceName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// A mount is compared by what it is, and only if it is what the container sees there.
class MountCheckTest {
    @TempDir
    private Path proc;

    /// Mounts that stand where a mask should, and are none.
    static List<Deviation> otherThanMasks() {
        String other = FakeProcess.nullDevice("/null");
        return Stream.of(
                        "ro,nosuid,nodev,noexec - proc rw /keys",
                        "ro,nosuid,nodev,noexec - tmpfs ro,mode=555",
                        "ro,nosuid,nodev,noexec - tmpfs ro,nr_inodes=10",
                        "rw,nosuid,nodev,noexec - tmpfs rw,nr_inodes=1",
                        "ro,nosuid,nodev,noexec - tmpfs ro,nr_inodes=1 /within",
                        "ro,nosuid,nodev,noexec - ramfs ro,nr_inodes=1",
                        FakeProcess.nullDevice("/zero"),
                        other.substring(0, other.lastIndexOf(' ')) + " 0:20")
                .map(mount -> new Deviation(
                        "no mask: " + mount, List.of("/proc/keys"), process -> process.mounts.put("/proc/keys", mount)))
                .toList();
    }

    /// Something was mounted over what the plan has there: it is seen, and what lies below it is not.
    static List<Deviation> hidden() {
        var deviations = new ArrayList<Deviation>();
        deviations.add(new Deviation(
                "another mask", List.of(), process -> process.later.add("/proc/keys " + FakeProcess.EMPTY)));
        deviations.add(new Deviation(
                "a mask that was mounted over",
                List.of("/proc/keys"),
                process -> process.later.add("/proc/keys rw - proc")));
        deviations.add(new Deviation(
                "a second procfs over the first",
                Stream.of(Planner.MASKED, Planner.READ_ONLY)
                        .flatMap(List::stream)
                        .map(InRootPath::absolute)
                        .filter(path -> path.startsWith("/proc"))
                        .toList(),
                process -> {
                    process.later.add("/proc rw,nosuid,nodev,noexec - proc");
                    Stream.of(Planner.MASKED, Planner.READ_ONLY)
                            .flatMap(List::stream)
                            .forEach(path -> VerifierTest.makeDirectory(process, path));
                }));
        deviations.add(new Deviation(
                "a volume below a mount of its parent",
                List.of("mount /dev/pts", "mount /dev/shm", "mount /dev/mqueue"),
                process -> process.later.add("/dev rw,nosuid,noexec - tmpfs")));
        for (Step.MountFileSystem mount : VerifierTest.plan().all(Step.MountFileSystem.class)) {
            String place = mount.target().absolute();
            deviations.add(new Deviation(
                    place + " of another file system",
                    List.of("mount " + place),
                    process -> process.mounts.computeIfPresent(
                            place, (_, options) -> options.replaceFirst(" - [a-z0-9]+", " - ext4"))));
        }
        return deviations;
    }

    @Test
    void without_a_root_no_mount_is_as_planned() throws IOException {
        var process = new FakeProcess(proc, VerifierTest.plan());
        process.mounts.remove("/");

        assertThat(VerifierTest.deviating(process.running()))
                .contains("root file system", "mount /usr", "mount /proc", "mount /dev");
    }

    private Verifier.Check volume(FakeProcess process) {
        return process.running().stream()
                .filter(check -> check.subject().equals("mount /data"))
                .findFirst()
                .orElseThrow();
    }

    /// A hard link is the same file at two places, as a bind mount is.
    @Test
    void a_volume_is_the_very_file_of_the_host_with_the_access_that_was_asked_for() throws IOException {
        Path source = Files.createFile(proc.toRealPath().resolve("source"));
        for (boolean readOnly : new boolean[] {true, false}) {
            String access = readOnly ? "ro" : "rw";
            String other = readOnly ? "rw" : "ro";
            Path directory = Files.createDirectory(proc.resolve(access));
            LaunchPlan plan = Samples.plan(
                    VerifierTest.unfiltered().mount(new Mount.Bind(source, InRootPath.of("data"), readOnly, true)),
                    Samples.hybridHost());
            var process = new FakeProcess(directory, plan);
            Path inside = Files.createLink(process.root().resolve("data"), source);

            process.mounts.put("/data", access + ",nosuid,nodev - ext4");
            assertThat(volume(process).outcome()).isEqualTo(Verifier.Outcome.AS_PLANNED);
            assertThat(volume(process).planned()).isEqualTo(source + ", " + access + ",nosuid,nodev, private");
            for (String mount : List.of(
                    other + ",nosuid,nodev - ext4",
                    access + ",nodev - ext4",
                    access + ",nosuid - ext4",
                    access + ",nosuid,nodev shared:1 - ext4")) {
                process.mounts.put("/data", mount);
                assertThat(volume(process).outcome()).as(mount).isEqualTo(Verifier.Outcome.DIFFERENT);
            }
            process.mounts.put("/data", access + ",nosuid,nodev - ext4");
            Files.delete(inside);
            assertThat(volume(process).outcome()).isEqualTo(Verifier.Outcome.DIFFERENT);
            Files.createFile(inside);
            assertThat(volume(process).found()).startsWith("another file than the host's " + source);
        }
        var process = new FakeProcess(
                Files.createDirectory(proc.resolve("gone")),
                Samples.plan(
                        VerifierTest.unfiltered().mount(new Mount.Bind(source, InRootPath.of("data"), true, true)),
                        Samples.hybridHost()));
        Files.delete(source);

        assertThat(volume(process).outcome()).isEqualTo(Verifier.Outcome.NOT_EVALUATED);
        assertThat(volume(process).asPlanned()).isFalse();
    }

    @Test
    void a_workspace_is_of_that_name_with_the_access_that_was_asked_for() throws IOException {
        var mount = new Mount.Workspace(new WorkspaceName("box"), InRootPath.of("data"), true);
        LaunchPlan plan = Samples.plan(VerifierTest.unfiltered().mount(mount), Samples.hybridHost());
        var process = new FakeProcess(proc, plan);

        process.mounts.put("/data", "ro,nosuid,nodev - ext4");
        assertThat(volume(process).outcome()).isEqualTo(Verifier.Outcome.AS_PLANNED);
        assertThat(volume(process).planned()).isEqualTo("workspace box, ro,nosuid,nodev, private");
        for (String other : List.of(
                "rw,nosuid,nodev - ext4",
                "ro,nodev - ext4",
                "ro,nosuid - ext4",
                "ro,nosuid,nodev - tmpfs",
                "ro,nosuid,nodev shared:1 - ext4")) {
            process.mounts.put("/data", other);
            assertThat(volume(process).outcome()).as(other).isEqualTo(Verifier.Outcome.DIFFERENT);
        }
    }

    @Test
    void of_a_volume_or_an_image_the_directory_that_was_asked_for_is_shown() throws IOException {
        var part = new Mount.Volume(Optional.of(new VolumeName("box")), InRootPath.of("data"), false, true)
                .subpath(InRootPath.of("a/b"));
        var volume = new FakeProcess(
                Files.createDirectory(proc.resolve("volume")),
                Samples.plan(VerifierTest.unfiltered().mount(part), Samples.hybridHost()));
        volume.mounts.put("/data", "rw,nosuid,nodev - ext4");
        assertThat(volume(volume).outcome()).as("all of it").isEqualTo(Verifier.Outcome.DIFFERENT);
        assertThat(volume(volume).planned()).isEqualTo("volume box/a/b, rw,nosuid,nodev, private");

        var files = new Mount.ImageFiles(ImageReference.parse("tools:1"), InRootPath.of("data"), Optional.empty());
        var image = new FakeProcess(
                Files.createDirectory(proc.resolve("image")),
                Samples.plan(VerifierTest.unfiltered().mount(files), Samples.hybridHost()));
        image.mounts.put("/data", "ro,nosuid,nodev - overlay");
        assertThat(volume(image).outcome()).isEqualTo(Verifier.Outcome.AS_PLANNED);
        for (String other : List.of(
                "rw,nosuid,nodev - overlay",
                "ro,nodev - overlay",
                "ro,nosuid - overlay",
                "ro,nosuid,nodev - ext4",
                "ro,nosuid,nodev shared:1 - overlay")) {
            image.mounts.put("/data", other);
            assertThat(volume(image).outcome()).as(other).isEqualTo(Verifier.Outcome.DIFFERENT);
        }
    }

    private Verifier.Check secrets(FakeProcess process, String mount) {
        process.mounts.put("/run/secrets", mount);
        return process.running().stream()
                .filter(check -> check.subject().equals("mount /run/secrets"))
                .findFirst()
                .orElseThrow();
    }

    /// Whoever may mount could make the mount writable again, so that the file system itself is read-only then.
    @Test
    void secrets_are_all_of_a_file_system_in_memory_that_the_container_cannot_change() throws IOException {
        ContainerSpec spec = VerifierTest.unfiltered().mount(new Mount.Secrets(List.of(SecretFile.of("db"))));
        var process =
                new FakeProcess(Files.createDirectory(proc.resolve("usual")), Samples.plan(spec, Samples.hybridHost()));
        String asPlanned = "ro,nosuid,nodev,noexec - ramfs rw";

        Verifier.Check check = secrets(process, asPlanned);
        assertThat(check.outcome()).isEqualTo(Verifier.Outcome.AS_PLANNED);
        assertThat(check.planned()).isEqualTo("secrets, ramfs ro,nosuid,nodev,noexec, private");
        assertThat(check.found()).isEqualTo("ramfs ro,nosuid,nodev,noexec, private");
        for (String other : List.of(
                "rw,nosuid,nodev,noexec - ramfs rw",
                "ro,nodev,noexec - ramfs rw",
                "ro,nosuid,noexec - ramfs rw",
                "ro,nosuid,nodev - ramfs rw",
                "ro,nosuid,nodev,noexec - tmpfs rw",
                "ro,nosuid,nodev,noexec - ramfs rw /part",
                "ro,nosuid,nodev,noexec shared:1 - ramfs rw")) {
            assertThat(secrets(process, other).outcome()).as(other).isEqualTo(Verifier.Outcome.DIFFERENT);
        }
        assertThat(secrets(process, "ro,nosuid,nodev,noexec shared:1 - ramfs rw")
                        .found())
                .isEqualTo("ramfs ro,nosuid,nodev,noexec, shared:1");

        var mighty = new FakeProcess(
                Files.createDirectory(proc.resolve("mighty")),
                Samples.plan(
                        spec.addCapabilities(Set.of(Capability.SYS_ADMIN)).allow(Allowance.DANGEROUS_CAPABILITIES),
                        Samples.hybridHost()));
        assertThat(secrets(mighty, asPlanned).outcome()).isEqualTo(Verifier.Outcome.DIFFERENT);
        assertThat(secrets(mighty, "ro,nosuid,nodev,noexec - ramfs ro").outcome())
                .isEqualTo(Verifier.Outcome.AS_PLANNED);
    }

    @Test
    void mounts_that_pass_events_on_are_named_and_else_counted() throws IOException {
        var process = new FakeProcess(proc, VerifierTest.plan());
        assertThat(propagation(process)).matches("all [1-9][0-9]+ private");
        process.later.add("/srv/a rw shared:7 - tmpfs");
        process.later.add("/srv/b rw master:8 - tmpfs");
        assertThat(propagation(process)).isEqualTo("/srv/a shared:7, /srv/b master:8");
    }

    private static String propagation(FakeProcess process) {
        return process.running().stream()
                .filter(check -> check.subject().equals("mount propagation"))
                .map(Verifier.Check::found)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource({"otherThanMasks", "hidden"})
    void one_mount_that_is_not_as_planned_is_reported_and_nothing_else(Deviation deviation) throws IOException {
        var process = new FakeProcess(proc, VerifierTest.plan());

        deviation.change().accept(process);

        assertThat(VerifierTest.deviating(process.running())).isEqualTo(deviation.subjects());
    }
}
