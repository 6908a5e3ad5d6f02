package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.facts.DeviceRules;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.kernel.DeviceNodes;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files of a host whose root directory is mounted elsewhere.
class HostFilesTest {
    @TempDir
    Path root = Path.of("");

    /// A user who owns nothing here.
    private static final long STRANGER = 4_000_000_000L;

    private final List<Gap> gaps = new ArrayList<>();
    private HostFiles files = new HostFiles(Path.of("/"), gaps);

    @BeforeEach
    void stage() throws IOException {
        root = root.toRealPath();
        files = new HostFiles(root, gaps);
        Files.createDirectories(root.resolve("etc/docker"));
        Files.writeString(root.resolve("etc/passwd"), "staged");
    }

    @Test
    void links_of_the_host_lead_nowhere_but_into_the_host() throws IOException {
        Files.createSymbolicLink(root.resolve("etc/absolute"), Path.of("/etc/passwd"));
        Files.createSymbolicLink(root.resolve("etc/upwards"), Path.of("../../../../../../../../etc/passwd"));
        Files.createSymbolicLink(root.resolve("etc/outside"), root.resolve("etc/passwd"));

        assertThat(files.text("/etc/absolute")).contains("staged");
        assertThat(files.text("/etc/upwards")).contains("staged");
        assertThat(files.fact("/etc/absolute").orElseThrow().resolved()).isEqualTo("/etc/passwd");
        assertThat(files.exists("/etc/outside")).isFalse();
        assertThat(gaps).isEmpty();
        for (String link : List.of("absolute", "upwards", "outside")) {
            Files.delete(root.resolve("etc").resolve(link));
        }
    }

    @Test
    void directories_of_layers_are_looked_for_in_the_host() throws IOException {
        Path layer = Files.createDirectories(root.resolve("data/overlay2/0123/diff"));
        Files.createSymbolicLink(root.resolve("linked"), Path.of("data/overlay2"));

        assertThat(files.directory("/linked/0123/diff")).contains(layer);
        assertThat(files.directory("/etc/passwd")).isEmpty();
    }

    @Test
    void what_exists_and_cannot_be_looked_at_is_a_gap_and_not_absent() throws IOException {
        Files.createSymbolicLink(root.resolve("etc/docker/daemon.json"), Path.of("daemon.json"));

        assertThat(files.fact("/etc/docker/daemon.json")).isEmpty();
        assertThat(files.fact("/etc/docker/none")).isEmpty();

        assertThat(gaps).singleElement().satisfies(gap -> {
            assertThat(gap.what()).isEqualTo("/etc/docker/daemon.json");
            assertThat(gap.reason()).contains("may not be looked at");
        });
    }

    @Test
    void a_file_that_is_too_large_or_no_file_is_a_gap() throws IOException {
        Files.write(root.resolve("etc/large"), new byte[(4 << 20) + 1]);

        assertThat(files.text("/etc/large")).isEmpty();
        assertThat(files.text("/etc/docker")).isEmpty();
        assertThat(files.text("/etc/missing")).isEmpty();
        assertThat(gaps).extracting(Gap::what).containsExactly("/etc/large", "/etc/docker");
    }

    @Test
    void a_file_that_its_engines_user_cannot_read_is_not_read_for_that_user() throws IOException {
        Path home = Files.createDirectories(root.resolve("home/anna"));
        Path closed = Files.createDirectories(root.resolve("closed"));
        Files.writeString(closed.resolve("below"), "secret");
        Files.writeString(home.resolve("closed"), "secret");
        Files.writeString(home.resolve("open"), "settings");
        modes(Map.of(root.resolve("home"), "rwxr-xr-x", home, "rwxr-xr-x", closed, "rwx------"));
        modes(Map.of(closed.resolve("below"), "rw-r--r--", home.resolve("closed"), "rw-------"));
        modes(Map.of(home.resolve("open"), "rw-r--r--"));
        Files.createSymbolicLink(home.resolve("link"), Path.of("/closed/below"));

        assertThat(files.text("/home/anna/open", STRANGER)).contains("settings");
        for (String file : List.of("/home/anna/closed", "/closed/below", "/home/anna/link")) {
            assertThat(files.text(file, STRANGER)).as(file).isEmpty();
            assertThat(gaps.removeLast().reason()).contains("own user cannot read it");
            assertThat(files.text(file)).as("as root").contains("secret");
        }
        assertThat(files.text("/closed/below", owner(closed.resolve("below")))).contains("secret");
        assertThat(gaps).isEmpty();
        Files.delete(home.resolve("link"));
    }

    /// A name leads to what the user may read and, a moment later, to what they may not.
    @Test
    void a_file_that_is_exchanged_while_it_is_read_is_judged_as_the_one_that_was_opened() throws Exception {
        Path open = Files.writeString(root.resolve("etc/open"), "settings");
        Path closed = Files.writeString(root.resolve("etc/closed"), "secret");
        modes(Map.of(root.resolve("etc"), "rwxr-xr-x", open, "rw-r--r--", closed, "rw-------"));
        Path name = root.resolve("etc/name");
        Files.createSymbolicLink(name, Path.of("open"));
        AtomicBoolean over = new AtomicBoolean();
        Thread exchange = Thread.ofPlatform().start(() -> exchange(name, over));
        var texts = new HashSet<Optional<String>>();

        for (int round = 0; round < 3_000 || (texts.size() < 2 && round < 100_000); round++) {
            texts.add(files.text("/etc/name", STRANGER));
        }
        over.set(true);
        exchange.join();

        assertThat(texts).containsExactlyInAnyOrder(Optional.of("settings"), Optional.empty());
        assertThat(gaps).isNotEmpty().allMatch(gap -> gap.reason().contains("own user cannot read it"));
        Files.delete(name);
    }

    private static void exchange(Path name, AtomicBoolean over) {
        Path next = name.resolveSibling("next");
        try {
            for (int round = 0; !over.get(); round++) {
                Files.createSymbolicLink(next, Path.of(round % 2 == 0 ? "closed" : "open"));
                Files.move(next, name, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void modes(Map<Path, String> all) throws IOException {
        for (Map.Entry<Path, String> each : all.entrySet()) {
            Files.setPosixFilePermissions(each.getKey(), PosixFilePermissions.fromString(each.getValue()));
        }
    }

    private static long owner(Path file) throws IOException {
        return ((Number) Files.getAttribute(file, "unix:uid")).longValue();
    }

    @Test
    void of_a_directory_with_too_many_files_so_many_are_told_and_that_there_are_more() throws IOException {
        Path many = Files.createDirectories(root.resolve("etc/docker/certs.d/many"));
        for (int file = 0; file < 10_050; file++) {
            Files.createFile(many.resolve("f" + file));
        }

        assertThat(files.below("/etc/docker/certs.d", 3)).hasSize(10_000);

        assertThat(gaps)
                .singleElement()
                .satisfies(gap ->
                        assertThat(gap.reason()).contains("more than 10000 files below /etc/docker/certs.d/many"));
    }

    @Test
    void of_a_containers_devices_no_more_are_looked_at_than_the_bound_and_that_is_told() throws IOException {
        Path devices = Files.createDirectories(root.resolve("devices/sub"));
        for (int file = 0; file < 3_000; file++) {
            Files.createFile(devices.resolve("f" + file));
        }
        long own = ProcessHandle.current().pid();
        List<String> here = DeviceNodes.of(own, List.of(), 20_000);
        assertThat(here).noneMatch(DeviceRules::isUnseen);

        assertThat(DeviceNodes.of(own, List.of(devices.toString()), 2_000))
                .containsAll(here)
                .filteredOn(DeviceRules::isUnseen)
                .containsExactly("not all of " + devices);
        try (Fd opened = FileSystem.open(devices.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY)) {
            assertThat(DirectoryEntries.of(opened, 7)).hasSize(7);
            assertThat(DirectoryEntries.of(opened, 2_999)).hasSize(2_999).doesNotHaveDuplicates();
            assertThat(DirectoryEntries.of(opened, 3_001))
                    .hasSize(3_000)
                    .hasSameElementsAs(DirectoryEntries.of(opened));
        }
    }

    @Test
    void a_socket_below_the_hosts_root_is_named_as_the_host_names_it() {
        var request = LiveRequests.of(Optional.of(root.resolve("run/docker.sock")), root);

        assertThat(request.scope().asHostHasIt(root.resolve("run/docker.sock"))).hasToString("/run/docker.sock");
        assertThat(request.scope().asHostHasIt(Path.of("/run/docker.sock"))).hasToString("/run/docker.sock");
    }
}
