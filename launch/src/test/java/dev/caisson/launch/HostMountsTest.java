package dev.caisson.launch;

import static dev.caisson.launch.ScriptedZygote.IDS;
import static dev.caisson.launch.ScriptedZygote.expected;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.MountInfo;
import dev.caisson.linux.Mounts;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.VolumeName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.assertj.core.api.AbstractObjectAssert;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The detached mounts of a container: whose files they show, what may be done there, and what is left open.
@Tag("root")
@Timeout(60)
class HostMountsTest {
    private static final int CHARACTER = 0020600;
    private static Fd userNamespace;

    @TempDir
    private Path path;

    private final List<Fd> opened = new ArrayList<>();
    private final List<Path> mounted = new ArrayList<>();
    private Path source;
    private Map<String, Object> file;
    /// Is of no user namespace, so that no id map can be made by it (EINVAL).
    private Fd none;
    /// The host's own, which the kernel takes for no id map (EPERM).
    private Fd hosts;

    @BeforeAll
    static void makeNamespace() {
        try (Zygote zygote = Zygote.start()) {
            userNamespace = zygote.userNamespace(IDS);
        }
    }

    @AfterAll
    static void closeNamespace() {
        userNamespace.close();
    }

    /// `source/own` on the disk, and `source/below/inner` on a file system that is mounted there.
    @BeforeEach
    void make() throws Exception {
        source = Files.createDirectories(path.resolve("source"));
        Files.createFile(source.resolve("own"));
        Path below = Files.createDirectory(source.resolve("below"));
        run("mount", "-t", "tmpfs", "tmpfs", below.toString());
        mounted.add(below);
        Files.createDirectory(below.resolve("inner"));
        file = OpenFiles.file(source);
        none = kept(FileSystem.open("/dev/zero", FileSystem.O_RDONLY));
        hosts = kept(FileSystem.open("/proc/self/ns/user", FileSystem.O_RDONLY));
    }

    @AfterEach
    void leaveNothing() throws Exception {
        opened.forEach(Fd::close);
        for (Path at : mounted.reversed()) {
            run("umount", "-R", at.toString());
        }
    }

    private static void run(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private Fd open(String what) {
        return kept(FileSystem.open(what, FileSystem.O_PATH));
    }

    private Fd kept(Fd fd) {
        opened.add(fd);
        return fd;
    }

    private static int owner(Fd mount, String name) {
        try (Fd found = FileSystem.openAt(mount, name, FileSystem.O_PATH, 0, 0)) {
            return FileSystem.status(found).uid();
        }
    }

    private static boolean has(Fd mount, String name) {
        return FileSystem.find(mount, name, FileSystem.O_PATH, 0)
                .map(found -> {
                    found.close();
                    return true;
                })
                .orElse(false);
    }

    /// Shows a detached mount, and returns the options of each mount of it, by its path from there.
    private Map<String, String> options(Fd mount) throws IOException {
        Path at = Files.createDirectory(path.resolve("at" + mounted.size()));
        Mounts.attach(mount, open(at.toString()));
        mounted.add(at);
        var options = new TreeMap<String, String>();
        for (MountInfo each : MountInfo.parse(Files.readString(Path.of("/proc/self/mountinfo")))) {
            if (each.point().startsWith(at.toString())) {
                options.put(each.point().substring(at.toString().length()), each.options());
            }
        }
        return options;
    }

    private static AbstractObjectAssert<?, HostException> assertCode(String code, ThrowingCallable attempt) {
        return assertThatThrownBy(attempt)
                .asInstanceOf(InstanceOfAssertFactories.type(HostException.class))
                .satisfies(e -> assertThat(e.code()).isEqualTo(code));
    }

    private void assertClosed(long but) {
        assertThat(OpenFiles.count(file)).isEqualTo(but);
    }

    @Test
    void a_layer_is_shown_through_the_id_map_without_what_is_mounted_below() throws IOException {
        Fd directory = open(source.toString());
        Fd mount = kept(HostMounts.layer(directory, userNamespace));
        assertThat(owner(mount, "own")).isEqualTo(IDS.base());
        assertThat(has(mount, "below/inner")).isFalse();
        assertThat(options(mount)).hasSize(1);
        mount.close();
        assertCode("IDMAP_REFUSED", () -> HostMounts.layer(directory, none))
                .extracting(Throwable::getMessage)
                .asString()
                .startsWith("the image's file system cannot be shown through an id map (EINVAL): put it on ext4");
        assertClosed(1);
    }

    @Test
    void a_directory_below_a_cover_is_shown_without_a_map_where_its_file_system_takes_none() {
        var cover = new SlotSource.Cover(0, source);
        Fd mount = kept(HostMounts.covered(cover, userNamespace));
        assertThat(owner(mount, "own")).isEqualTo(IDS.base());
        assertThat(has(mount, "below/inner")).isFalse();
        mount.close();
        Fd unmapped = kept(HostMounts.covered(cover, none));
        assertThat(owner(unmapped, "own")).isZero();
        unmapped.close();
        assertCode("IDMAP_REFUSED", () -> HostMounts.covered(cover, hosts))
                .extracting(Throwable::getMessage)
                .asString()
                .startsWith("the file system of " + source + " cannot be shown through an id map (EPERM)");
        assertClosed(0);
    }

    @Test
    void a_bind_is_shown_with_all_mounts_below_each_as_it_was_asked_for() throws IOException {
        for (boolean readOnly : new boolean[] {true, false}) {
            Fd mount = kept(HostMounts.bind(new SlotSource.Bind(0, source, readOnly), userNamespace));
            assertThat(owner(mount, "own")).isEqualTo(IDS.base());
            assertThat(owner(mount, "below/inner")).isEqualTo(IDS.base());
            assertThat(options(mount))
                    .containsOnlyKeys("", "/below")
                    .allSatisfy((_, options) -> assertThat(options.split(","))
                            .contains(readOnly ? "ro" : "rw", "nosuid", "nodev", "idmapped")
                            .doesNotContain("noexec"));
            mount.close();
        }
        assertCode("IDMAP_REFUSED", () -> HostMounts.bind(new SlotSource.Bind(0, source, false), none));
        assertClosed(0);
    }

    @Test
    void a_source_that_is_gone_or_a_link_is_told() throws IOException {
        Path link = Files.createSymbolicLink(path.resolve("link"), source);
        for (Path bad : List.of(link, path.resolve("none"))) {
            assertCode("MOUNT_SOURCE", () -> HostMounts.bind(new SlotSource.Bind(0, bad, true), userNamespace))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .isEqualTo("the host path " + bad + " cannot be mounted (" + (bad.equals(link) ? "ELOOP" : "ENOENT")
                            + ")");
        }
    }

    @Test
    void a_volume_takes_what_its_mount_asks_for_and_stays_the_callers() throws IOException {
        for (boolean readOnly : new boolean[] {true, false}) {
            var shared = new SlotSource.Shared(0, new VolumeName("data"), readOnly, InRootPath.of(""));
            Fd directory = open(source.toString());
            Fd mount = kept(Mounts.copy(directory, false));
            HostMounts.shared(mount, shared, userNamespace);
            assertThat(owner(mount, "own")).isEqualTo(IDS.base());
            assertThat(options(mount))
                    .containsOnlyKeys("")
                    .allSatisfy((_, options) -> assertThat(options.split(","))
                            .contains(readOnly ? "ro" : "rw", "nosuid", "nodev", "idmapped"));

            Fd refused = kept(Mounts.copy(directory, false));
            assertCode("IDMAP_REFUSED", () -> HostMounts.shared(refused, shared, none))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .startsWith("the file system of the volume data cannot");
            assertThat(refused.isOpen()).isTrue();
        }
    }

    @Test
    void a_directory_below_a_mount_takes_its_place() throws IOException {
        Files.createDirectories(source.resolve("a/b/c"));
        Files.createSymbolicLink(source.resolve("a/link"), Path.of("b"));
        Fd whole = open(source.toString());
        assertThat(HostMounts.below(whole, InRootPath.of(""), "it")).isSameAs(whole);
        assertThat(whole.isOpen()).isTrue();

        Fd below = kept(HostMounts.below(whole, InRootPath.of("a/b"), "it"));
        assertThat(has(below, "c")).isTrue();
        assertThat(whole.isOpen()).isFalse();
        assertThat(OpenFiles.count(OpenFiles.file(source.resolve("a/b")))).isEqualTo(1);

        for (Map.Entry<String, String> bad :
                Map.of("own", "ENOTDIR", "none", "ENOENT", "a/link", "ELOOP").entrySet()) {
            assertCode(
                            "MOUNT_SUBPATH",
                            () -> HostMounts.below(
                                    open(source.toString()), InRootPath.of(bad.getKey()), "the volume v"))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .isEqualTo("/" + bad.getKey() + " of the volume v is no directory that no link leads to ("
                            + bad.getValue() + "): name one that is there");
        }
        assertClosed(0);
    }

    @Test
    void an_image_is_covered_layer_by_layer_and_may_be_shown_in_part() throws IOException {
        Path other = Files.createDirectories(path.resolve("other"));
        Files.createDirectories(source.resolve("sub/here"));
        List<Fd> layers = List.of(open(other.toString()), open(source.toString()));
        try (var scripted = new ScriptedZygote()) {
            scripted.answer(layers.getLast());
            Fd shown = kept(HostMounts.image(
                    new SlotSource.ImageFiles(0, "img", InRootPath.of("sub")),
                    layers,
                    userNamespace,
                    IDS,
                    scripted.zygote));
            assertThat(has(shown, "here")).isTrue();
            assertClosed(1);
            assertThat(OpenFiles.count(OpenFiles.file(other))).isEqualTo(1);
            try (ScriptedZygote.Request asked =
                    scripted.asked(expected(3, 2).putShort(24, (short) 4).putShort(28, (short) 2))) {
                assertThat(asked.files()).containsExactly(OpenFiles.file(other), file);
                assertThat(owner(asked.descriptors().getLast(), "own")).isEqualTo(IDS.base());
            }
            scripted.answer(layers.getLast());
            assertCode(
                            "MOUNT_SUBPATH",
                            () -> HostMounts.image(
                                    new SlotSource.ImageFiles(0, "img", InRootPath.of("none")),
                                    layers,
                                    userNamespace,
                                    IDS,
                                    scripted.zygote))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .contains("/none of the image img");
            scripted.asked().close();
        }
        assertClosed(1);
    }

    @Test
    void a_device_is_opened_only_if_it_is_the_one_that_was_approved() {
        Fd directory = open(path.toString());
        FileSystem.makeNode(directory, "node", CHARACTER, 0x103);
        FileSystem.makeSymbolicLink(directory, "link", "node");
        Path node = path.resolve("node");
        Map<String, Object> itself = OpenFiles.file(node);
        try (var scripted = new ScriptedZygote()) {
            Fd given = scripted.something();
            scripted.answer(given);
            Fd made = kept(HostMounts.device(device(node, 3), IDS, scripted.zygote));
            assertThat(OpenFiles.file(made)).isEqualTo(OpenFiles.file(given));
            try (ScriptedZygote.Request asked = scripted.asked(expected(4, 1))) {
                assertThat(asked.files()).containsExactly(itself);
            }

            assertCode("DEVICE_CHANGED", () -> HostMounts.device(device(node, 4), IDS, scripted.zygote))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .isEqualTo(node + " is no longer the device c 1:4: start again");
            assertCode("DEVICE_SOURCE", () -> HostMounts.device(device(path.resolve("link"), 3), IDS, scripted.zygote))
                    .extracting(Throwable::getMessage)
                    .asString()
                    .contains("(ELOOP)");
        }
        assertThat(OpenFiles.count(itself)).isZero();
    }

    private static SlotSource.Device device(Path at, int minor) {
        return new SlotSource.Device(0, at, new DeviceNode(DeviceRule.Kind.CHARACTER, 1, minor), Set.of());
    }
}
