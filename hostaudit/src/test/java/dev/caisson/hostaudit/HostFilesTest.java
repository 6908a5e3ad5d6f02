package dev.caisson.hostaudit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.hostaudit.Facts.Gap;
import dev.caisson.linux.DirectoryEntries;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files of a host whose root directory is mounted elsewhere.
class HostFilesTest {
    @TempDir
    Path root = Path.of("");

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
        assertThat(here).noneMatch(DeviceNodes::isUnseen);

        assertThat(DeviceNodes.of(own, List.of(devices.toString()), 2_000))
                .containsAll(here)
                .filteredOn(DeviceNodes::isUnseen)
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

        assertThat(request.asHostHasIt(root.resolve("run/docker.sock"))).hasToString("/run/docker.sock");
        assertThat(request.asHostHasIt(Path.of("/run/docker.sock"))).hasToString("/run/docker.sock");
    }
}
