package dev.caisson.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Which files a gate's process is given of a JVM whose own files are links to elsewhere, as those of Debian's are.
@Timeout(30)
class GateProgramTest {
    @TempDir
    private Path directory;

    private Path home;
    private Path settings;

    @BeforeEach
    void make() throws IOException {
        directory = directory.toRealPath();
        home = Files.createDirectory(directory.resolve("jvm"));
        settings = Files.createDirectory(directory.resolve("settings"));
        for (String part : List.of("bin", "conf", "lib")) {
            Files.createDirectory(home.resolve(part));
        }
        Files.createSymbolicLink(home.resolve("bin/java"), Path.of("/bin/true"));
    }

    /// The first word behind each `bind`, or each `link`, that is one of this test's places.
    private List<String> places(String kind) {
        List<String> all = GateProgram.of(home).arguments(0);
        var places = new ArrayList<String>();
        for (int i = 0; !all.get(i).equals("env"); i++) {
            if (all.get(i).equals(kind) && all.get(i + 1).startsWith(directory.toString())) {
                places.add(all.get(i + 1));
            }
        }
        return places;
    }

    @Test
    void a_file_that_a_link_leads_to_is_given() throws IOException {
        Path file = Files.createFile(settings.resolve("net.properties"));
        Files.createSymbolicLink(home.resolve("conf/net.properties"), file);
        Files.createFile(settings.resolve("other"));

        assertThat(places("bind")).containsExactly(home.toString(), file.toString());
    }

    @Test
    void a_link_that_leads_to_a_link_is_given_with_both() throws IOException {
        Path file = Files.createFile(settings.resolve("cacerts"));
        Path between = Files.createSymbolicLink(directory.resolve("between"), file);
        Files.createSymbolicLink(home.resolve("lib/cacerts"), Path.of("../../between"));

        assertThat(places("bind")).containsExactly(home.toString(), file.toString());
        assertThat(places("link")).containsExactly(between.toString());
    }

    @Test
    void a_directory_that_a_link_leads_to_is_given_with_what_its_own_links_lead_to() throws IOException {
        Path far = Files.createFile(directory.resolve("far"));
        Files.createSymbolicLink(settings.resolve("policy"), far);
        Files.delete(home.resolve("conf"));
        Files.createSymbolicLink(home.resolve("conf"), settings);

        assertThat(places("bind")).containsExactly(home.toString(), settings.toString(), far.toString());
    }

    @Test
    void links_within_the_jvm_and_links_to_nothing_are_no_places() throws IOException {
        Files.createFile(home.resolve("lib/one"));
        Files.createSymbolicLink(home.resolve("lib/two"), Path.of("one"));
        Files.createSymbolicLink(home.resolve("conf/gone"), directory.resolve("gone"));

        assertThat(places("bind")).containsExactly(home.toString());
    }
}
